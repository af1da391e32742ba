--- Sets of header profiles: client role -> name of a header profile.
return {
  -- the reference: getting-started/cloud-api-explained
  developer = { developer = "developer", platform_operator = "platform_operator" },
  anyone = { developer = "none", end_user = "none", platform_operator = "none" },
  bearer = { developer = "bearer", end_user = "bearer", platform_operator = "bearer" },
  -- step 6 of the guide (wire.md D25)
  end_user = { developer = "end_user", end_user = "end_user", platform_operator = "end_user" },
}
