/* sdk.h - stands for Defold's SDK in defold_spec.lua: as much of it as examples/defold uses, written after Defold's manual. */
#pragma once

#include <stdio.h>

extern "C" {
#include <dmsdk/lua/lua.h>
#include <dmsdk/lua/lauxlib.h>
}

#define dmLogError(...) (fprintf(stderr, __VA_ARGS__), fputc('\n', stderr))

namespace dmExtension {

enum Result { RESULT_OK = 0, RESULT_INIT_ERROR = -1 };
struct AppParams {};
struct Params {
  lua_State *m_L;
};
struct Event {};
struct Desc {
  const char *name;
  Result (*app_init) (AppParams *), (*app_final) (AppParams *);
  Result (*init) (Params *), (*update) (Params *);
  void (*on_event) (Params *, const Event *);
  Result (*final) (Params *);
};
void Register (const Desc *desc);

} // namespace dmExtension

/* The build server generates a main file that calls the symbol by the name in ext.manifest. */
#define DM_DECLARE_EXTENSION(symbol, name, app_init, app_final, init, update, on_event, final) \
  static const dmExtension::Desc symbol##_desc = {name, app_init, app_final, init, update, on_event, final}; \
  extern "C" __attribute__((visibility("default"))) void symbol () { dmExtension::Register(&symbol##_desc); }
