# The target devkit4ai::devkit4ai: the client with its Lua files, for a program that links it. It is compiled in the project that
# uses it, because a compiled library would fit one Lua alone. Variables of that project:
#   DEVKIT4AI_LUA         the Lua of the program: a target, or the folder of its lua.h. Default: the target lua
#   DEVKIT4AI_NO_THREADS  ON: without threads; only devkit4ai.update() and a call that waits step the engine

# sources: the folder of devkit4ai.c. headers: that of devkit4ai.h.
function(devkit4ai_add_library sources headers)
  if(TARGET devkit4ai)
    return()
  endif()
  if(NOT DEVKIT4AI_LUA)
    set(DEVKIT4AI_LUA lua)
  endif()
  if(NOT TARGET "${DEVKIT4AI_LUA}" AND NOT EXISTS "${DEVKIT4AI_LUA}/lua.h")
    message(FATAL_ERROR "devkit4ai: DEVKIT4AI_LUA is \"${DEVKIT4AI_LUA}\": set it to the Lua of your program, a target or the "
      "folder of its lua.h")
  endif()
  add_library(devkit4ai STATIC EXCLUDE_FROM_ALL "${sources}/devkit4ai.c")
  add_library(devkit4ai::devkit4ai ALIAS devkit4ai)
  set_target_properties(devkit4ai PROPERTIES C_STANDARD 11 C_STANDARD_REQUIRED ON POSITION_INDEPENDENT_CODE ON)
  target_include_directories(devkit4ai PUBLIC "${headers}")
  target_link_libraries(devkit4ai PRIVATE CURL::libcurl ${CMAKE_DL_LIBS})
  if(TARGET "${DEVKIT4AI_LUA}")
    target_link_libraries(devkit4ai PUBLIC "${DEVKIT4AI_LUA}")
  else()
    target_include_directories(devkit4ai SYSTEM PUBLIC "${DEVKIT4AI_LUA}")
  endif()
  if(DEVKIT4AI_NO_THREADS)
    target_compile_definitions(devkit4ai PRIVATE DEVKIT4AI_NO_THREADS)
  else()
    target_link_libraries(devkit4ai PRIVATE Threads::Threads)
  endif()
endfunction()
