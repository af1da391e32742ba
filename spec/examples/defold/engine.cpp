/* engine.cpp - stands for the engine in defold_spec.lua: starts the extension, runs a script with frames, ends both.
 * It calls the entry points in the order of the manual: app_init, init, the script's frames, final, app_final.
 * usage: engine SCRIPT ARGUMENT. The script gets the argument in `...`, and returns the function of a frame: true ends the game.
 */
#include <dmsdk/sdk.h>
#include <time.h>

extern "C" {
#include <luajit-2.1/lualib.h>
}

extern "C" void SYMBOL (); /* the name in ext.manifest */

static const dmExtension::Desc *extension;

void dmExtension::Register (const Desc *desc) { extension = desc; }

static int fail (lua_State *L) {
  fprintf(stderr, "%s\n", lua_tostring(L, -1));
  return 1;
}

int main (int, char **argv) {
  SYMBOL();
  dmExtension::AppParams app_params;
  if (extension->app_init(&app_params) != dmExtension::RESULT_OK) return 1;
  lua_State *L = luaL_newstate();
  luaL_openlibs(L);
  dmExtension::Params params = {L};
  if (extension->init(&params) != dmExtension::RESULT_OK || lua_gettop(L) != 0) return 1;
  if (luaL_loadfile(L, argv[1]) != 0) return fail(L);
  lua_pushstring(L, argv[2]);
  if (lua_pcall(L, 1, 1, 0) != 0) return fail(L);
  for (bool ended = false; !ended;) {
    lua_pushvalue(L, 1);
    if (lua_pcall(L, 0, 1, 0) != 0) return fail(L);
    ended = lua_toboolean(L, -1);
    lua_pop(L, 1);
    timespec frame = {0, 10000000};
    nanosleep(&frame, NULL);
  }
  if (extension->final(&params) != dmExtension::RESULT_OK) return 1;
  lua_close(L);
  return extension->app_final(&app_params) == dmExtension::RESULT_OK ? 0 : 1;
}
