# Compiler flags: hardening always, strict warnings for developers, sanitizers on request.

set(devkit4ai_hardened -fstack-protector-strong)
if(NOT APPLE AND CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|aarch64|AMD64|arm64")
  list(APPEND devkit4ai_hardened -fstack-clash-protection)
endif()
if(CMAKE_SYSTEM_NAME STREQUAL "Linux")
  set(devkit4ai_hardened_link -Wl,-z,relro,-z,now,-z,noexecstack)
endif()

set(devkit4ai_warnings
  -Wall -Wextra -Werror -Wshadow -Wconversion -Wsign-conversion -Wstrict-prototypes -Wmissing-prototypes
  -Wold-style-definition -Wwrite-strings -Wcast-align -Wpointer-arith -Wundef -Wformat=2 -Wvla -Wimplicit-fallthrough
  -Wdouble-promotion)
if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
  list(APPEND devkit4ai_warnings -Wlogical-op -Wduplicated-cond -Wformat-signedness)
elseif(CMAKE_C_COMPILER_ID MATCHES "Clang")
  list(APPEND devkit4ai_warnings -Wcomma -Wunreachable-code
    # our idioms: {.a = 1} leaves the rest 0; a & b of bools evaluates both; CHECK(!"reached")
    -Wno-missing-field-initializers -Wno-bitwise-instead-of-logical -Wno-string-conversion)
endif()

# Applies these flags to a target.
function(devkit4ai_flags target)
  target_compile_definitions(${target} PRIVATE _FILE_OFFSET_BITS=64 _TIME_BITS=64)  # where a long has 32 bits
  target_compile_options(${target} PRIVATE ${devkit4ai_hardened})
  target_link_options(${target} PRIVATE ${devkit4ai_hardened_link})
  if(DEVKIT4AI_DEVELOPER)
    target_compile_options(${target} PRIVATE ${devkit4ai_warnings})
  endif()
  if(DEVKIT4AI_SANITIZE)
    set(sanitize -fsanitize=${DEVKIT4AI_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
    target_compile_options(${target} PRIVATE ${sanitize} -O1)
    target_link_options(${target} PRIVATE ${sanitize})
  else()
    target_compile_options(${target} PRIVATE -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
  endif()
endfunction()
