/* extension.cpp - devkit4ai for Lua as a native extension of Defold: in the scripts, `devkit4ai` is the module.
 *
 * On Linux. On other platforms, the extension is empty, and `devkit4ai` is nil in the scripts: devkit4ai.c does not build there.
 */
#include <dmsdk/sdk.h>

#if defined(DM_PLATFORM_LINUX)

#include <devkit4ai.c> /* in include/, not in src/: so no other platform compiles it */

extern "C" int luaopen_cjson (lua_State *L); /* of lua-cjson, lib/x86_64-linux/libcjson.a */

static int set_module (lua_State *L) {
  lua_getglobal(L, "package");
  lua_getfield(L, -1, "preload");
  lua_pushcfunction(L, luaopen_cjson);
  lua_setfield(L, -2, "cjson");
  devkit4ai_open(L);
  lua_getglobal(L, "require");
  lua_pushliteral(L, "devkit4ai");
  lua_call(L, 1, 1);
  lua_setglobal(L, "devkit4ai");
  return 0;
}

/* Gives the scripts the module. Where it does not load, the log says why, and `devkit4ai` stays nil. */
static void add_module (lua_State *L) {
  int top = lua_gettop(L);
  lua_pushcfunction(L, set_module);
  if (lua_pcall(L, 0, 0, 0) != 0) dmLogError("devkit4ai: %s", lua_tostring(L, -1));
  lua_settop(L, top);
}

#else

static void add_module (lua_State *) {}

#endif

static dmExtension::Result initialize (dmExtension::Params *params) {
  add_module(params->m_L);
  return dmExtension::RESULT_OK;
}

static dmExtension::Result finalize (dmExtension::Params *) {
  return dmExtension::RESULT_OK;
}

static dmExtension::Result app_initialize (dmExtension::AppParams *) {
  return dmExtension::RESULT_OK;
}

static dmExtension::Result app_finalize (dmExtension::AppParams *) {
  return dmExtension::RESULT_OK;
}

/* The scripts call devkit4ai.update() once a frame: the extension has no update of its own. */
DM_DECLARE_EXTENSION(Devkit4ai, "devkit4ai", app_initialize, app_finalize, initialize, 0, 0, finalize)
