/* engine.cpp - stands for the engine in defold_spec.lua: starts the extension, runs a script's frames, ends both.
 * It calls the entry points in the order of the manual: app_init, init, the script's init and updates, final, app_final.
 * usage: engine SCRIPT. The script defines init(self) and update(self, dt); the global `ended` ends the game.
 */
#include <dmsdk/sdk.h>
#include <time.h>
#include <unistd.h>

extern "C" {
#include <luajit-2.1/lualib.h>
}

extern "C" void SYMBOL (); /* the name in ext.manifest */

static const dmExtension::Desc *extension;

void dmExtension::Register (const Desc *desc) { extension = desc; }

/* Calls a function of the script; f: its name. Ends the program with the message of an error. */
static void call (lua_State *L, const char *f) {
  lua_getglobal(L, f);
  lua_getglobal(L, "self");
  lua_pushnumber(L, 0.01);
  if (lua_pcall(L, 2, 0, 0) != 0) {
    fprintf(stderr, "%s\n", lua_tostring(L, -1));
    _exit(1);
  }
}

int main (int, char **argv) {
  SYMBOL();
  dmExtension::AppParams app_params;
  if (extension->app_init(&app_params) != dmExtension::RESULT_OK) return 1;
  lua_State *L = luaL_newstate();
  luaL_openlibs(L);
  dmExtension::Params params = {L};
  if (extension->init(&params) != dmExtension::RESULT_OK || lua_gettop(L) != 0) return 1;
  lua_newtable(L);
  lua_setglobal(L, "self");
  if (luaL_loadfile(L, argv[1]) != 0) return 1;
  lua_setglobal(L, "script");
  call(L, "script");
  call(L, "init");
  for (bool ended = false; !ended;) {
    call(L, "update");
    lua_getglobal(L, "ended");
    ended = lua_toboolean(L, -1);
    lua_pop(L, 1);
    timespec frame = {0, 10000000};
    nanosleep(&frame, NULL);
  }
  if (extension->final(&params) != dmExtension::RESULT_OK) return 1;
  lua_close(L);
  return extension->app_final(&app_params) == dmExtension::RESULT_OK ? 0 : 1;
}
