# The programs of the tests and benchmarks, built by the targets `tests`, `fuzzers` and `benchmarks`. Each file with such a name
# becomes a program, so there is no list here.
#   spec/core/*/x_test.c             -> spec/core/x_test       the core, without Lua
#   spec/core/*/x_memory_test.c      -> spec/core/x_memory_test the same, with allocations that fail on request
#   spec/binding/x_test.c            -> spec/binding/x_test    a host with its own Lua 5.4
#   spec/support/process/x_preload.c -> spec/x_preload.so      for LD_PRELOAD
#   spec/fuzz/*/x.c                  -> spec/fuzz/x            the core under libFuzzer, only in the fuzzer's build
#   bench/x.c, bench/peers/x.c       -> bench/x                with libcurl, without the core
#   bench/engines/x.c                -> bench/x                a host with its own Lua 5.4

add_custom_target(tests)
add_custom_target(fuzzers)
add_custom_target(benchmarks)

# Builds each source as a program in the folder, as part of the group, linked with the other arguments.
function(devkit4ai_programs group folder sources)
  foreach(source IN LISTS sources)
    cmake_path(GET source STEM name)
    add_executable(${name} EXCLUDE_FROM_ALL ${source})
    target_compile_options(${name} PRIVATE -UNDEBUG)
    target_link_libraries(${name} PRIVATE ${ARGN})
    set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/${folder}")
    devkit4ai_flags(${name})
    add_dependencies(${group} ${name})
  endforeach()
endfunction()

file(GLOB core_tests CONFIGURE_DEPENDS spec/core/*/*_test.c)
devkit4ai_programs(tests spec/core "${core_tests}" core)
foreach(source IN LISTS core_tests)
  cmake_path(GET source STEM name)
  target_include_directories(${name} PRIVATE spec/core)
  set_target_properties(${name} PROPERTIES ENABLE_EXPORTS ON)  # so that c-ares finds the test's functions
  if(name MATCHES "_memory_test$")
    target_sources(${name} PRIVATE spec/core/support/fail_alloc.c)
    target_link_options(${name} PRIVATE
      LINKER:--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=strdup,--wrap=strndup,--wrap=free)
  endif()
endforeach()

if("5.4" IN_LIST DEVKIT4AI_FOUND_LUAS)
  file(GLOB binding_tests CONFIGURE_DEPENDS spec/binding/*_test.c)
  devkit4ai_programs(tests spec/binding "${binding_tests}" PkgConfig::LUA5.4 Threads::Threads)
  set_target_properties(unload_test PROPERTIES ENABLE_EXPORTS ON)  # so that libcurl finds the test's getaddrinfo
endif()

if(DEVKIT4AI_SANITIZE MATCHES "fuzzer")
  file(GLOB fuzz_targets CONFIGURE_DEPENDS spec/fuzz/*/*.c)
  devkit4ai_programs(fuzzers spec/fuzz "${fuzz_targets}" core)
  foreach(source IN LISTS fuzz_targets)
    cmake_path(GET source STEM name)
    target_include_directories(${name} PRIVATE spec/fuzz)
  endforeach()
endif()

# Preloaded into programs without a sanitizer, so built without one; their symbols are visible.
file(GLOB preloads CONFIGURE_DEPENDS spec/support/process/*_preload.c)
foreach(source IN LISTS preloads)
  cmake_path(GET source STEM name)
  add_library(${name} MODULE EXCLUDE_FROM_ALL ${source})
  target_include_directories(${name} PRIVATE spec/core)
  target_link_libraries(${name} PRIVATE Threads::Threads ${CMAKE_DL_LIBS})
  set_target_properties(${name} PROPERTIES
    PREFIX "" SUFFIX ".so" C_VISIBILITY_PRESET default LIBRARY_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/spec")
  add_dependencies(tests ${name})
endforeach()

pkg_check_modules(OPENSSL QUIET IMPORTED_TARGET openssl)  # for the benchmarks' TLS server
if(OPENSSL_FOUND)
  file(GLOB benchmark_sources CONFIGURE_DEPENDS bench/*.c bench/peers/*.c)
  devkit4ai_programs(benchmarks bench "${benchmark_sources}" PkgConfig::CURL PkgConfig::OPENSSL Threads::Threads)
endif()
if("5.4" IN_LIST DEVKIT4AI_FOUND_LUAS)
  file(GLOB benchmark_engines CONFIGURE_DEPENDS bench/engines/*.c)
  devkit4ai_programs(benchmarks bench "${benchmark_engines}" PkgConfig::LUA5.4)
  target_include_directories(frames PRIVATE bench)
endif()

# A module with AddressSanitizer needs the sanitizer's runtime as the first library of the interpreter. LD_PRELOAD would also load
# it into child processes (shells, openssl, strace). So the tests run a copy of the interpreter that links it.
if(DEVKIT4AI_SANITIZE MATCHES "address")
  find_program(PATCHELF patchelf REQUIRED)
  execute_process(COMMAND ${CMAKE_C_COMPILER} -print-file-name=libasan.so
    OUTPUT_VARIABLE asan OUTPUT_STRIP_TRAILING_WHITESPACE)
  foreach(version IN LISTS DEVKIT4AI_FOUND_LUAS)
    set(copy "${CMAKE_BINARY_DIR}/bin/lua${version}")
    add_custom_command(OUTPUT "${copy}"
      COMMAND ${CMAKE_COMMAND} -E make_directory "${CMAKE_BINARY_DIR}/bin"
      COMMAND ${CMAKE_COMMAND} -E copy "${LUA${version}_PROGRAM}" "${copy}"
      COMMAND ${PATCHELF} --add-needed "${asan}" "${copy}"
      DEPENDS "${LUA${version}_PROGRAM}" VERBATIM)
    add_custom_target(interpreter${version} DEPENDS "${copy}")
    add_dependencies(tests interpreter${version})
  endforeach()
endif()

# ThreadSanitizer's runtime must be in the program itself, so the tests run a small interpreter of their own.
if(DEVKIT4AI_SANITIZE MATCHES "thread")
  foreach(version IN LISTS DEVKIT4AI_FOUND_LUAS)
    add_executable(interpreter${version} EXCLUDE_FROM_ALL spec/support/process/tsan_interpreter.c)
    target_link_libraries(interpreter${version} PRIVATE PkgConfig::LUA${version})
    set_target_properties(interpreter${version} PROPERTIES
      OUTPUT_NAME "lua${version}" RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/bin" ENABLE_EXPORTS ON)
    devkit4ai_flags(interpreter${version})
    add_dependencies(tests interpreter${version})
  endforeach()
endif()
