-- The client with pauses between its tries as short as chance may make them: none. To be required before the client is: it
-- takes the chance as it is loaded.
local core = require "devkit4ai.core"
local chance = core.random
core.random = function() return 0 end
require "devkit4ai.request.call"
core.random = chance

return require "devkit4ai"
