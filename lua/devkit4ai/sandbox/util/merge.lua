--- Shallow merge of two tables: a new table; the second one's fields win.
---@param base table
---@param changes table
---@return table
return function(base, changes)
  local merged = {}
  for name, value in pairs(base) do merged[name] = value end
  for name, value in pairs(changes) do merged[name] = value end
  return merged
end
