-- The locale of the program changes how C compares letters and writes numbers. The core calls no function that depends on it.
local DEPENDS = { -- functions of the C library that follow LC_CTYPE or LC_NUMERIC
  "strcasecmp", "strncasecmp", "strcasestr", "strcoll", "strxfrm", "strtod", "strtof", "strtold", "atof", "sscanf",
  "tolower", "toupper", "isalpha", "isalnum", "isupper", "islower", "isspace", "isblank", "isprint", "isgraph",
  "ispunct", "iscntrl", "isdigit", "isxdigit", "wctype", "mbtowc", "mbstowcs",
}

local function sources()
  local list = assert(io.popen("ls src/core/*/*.[ch] src/binding/*.[ch]"))
  local names = {}
  for name in list:lines() do names[#names + 1] = name end
  list:close()
  return names
end

local function read_code(name)
  local file = assert(io.open(name))
  local text = file:read("*a")
  file:close()
  return (text:gsub("/%*.-%*/", ""))
end

describe("the core's C", function()
  it("calls no function that depends on the locale", function()
    local count = 0
    for _, name in ipairs(sources()) do
      local code = read_code(name)
      count = count + 1
      for _, call in ipairs(DEPENDS) do
        assert.is_nil(code:find("%f[%w_]" .. call .. "%s*%("), ("%s calls %s"):format(name, call))
      end
    end
    assert.is_true(count > 40)
  end)

  it("writes no number with a decimal point by printf", function()
    for _, name in ipairs(sources()) do
      for text in read_code(name):gmatch('"([^"\n]*)"') do
        assert.is_nil(text:find("%%[%d%.%*+#-]*[aAeEfFgG]%f[%A]"), ("%s has the format %s"):format(name, text))
      end
    end
  end)
end)
