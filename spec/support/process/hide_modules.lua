--- Hides modules and their submodules from `require`, as if they were not installed.
---@param ... string module names
return function(...)
  local names = { ... }
  local searchers = package.searchers or package.loaders -- luacheck: ignore (5.1 and LuaJIT)
  for i = 2, #searchers do -- the first looks into package.preload
    local search = searchers[i]
    searchers[i] = function(module)
      for _, name in ipairs(names) do
        if (module .. "."):sub(1, #name + 1) == name .. "." then return "\n\tno file (hidden)" end
      end
      return search(module)
    end
  end
end
