-- The client with pauses between its tries as short as chance may make them: none. To be required before the client is: it
-- takes the chance as it is loaded.
local chance = math.random
math.random = function() return 0 end -- luacheck: ignore 122
require "devkit4ai.call"
math.random = chance -- luacheck: ignore 122

return require "devkit4ai"
