--- Which headers an operation's callers send: by the client's role, a row of `profiles`.
return {
  developer = { developer = "dev", platform_operator = "op" }, -- operators: wire.md 1.4
  anyone = { developer = "none", end_user = "none", platform_operator = "none" },
  bearer = { developer = "bearer", end_user = "bearer", platform_operator = "bearer" },
  end_user = { developer = "end", end_user = "end", platform_operator = "end" }, -- the guide's step 6 (wire.md D25)
}
