--- The headers of a request as the client sent it (server --head). The peers send the same.
---@param path string of the file
---@return { [1]: string, [2]: string }[] pairs of name and value, without those that belong to the host or the body
return function(path)
  local own, list = { ["host"] = true, ["content-length"] = true, ["content-type"] = true }, {}
  for line in io.lines(path) do
    local name, value = line:match("^([%w-]+):%s*(.-)\r?$")
    if name and not own[name:lower()] then list[#list + 1] = { name, value } end
  end
  return list
end
