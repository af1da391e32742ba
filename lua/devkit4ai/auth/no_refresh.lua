--- The session of a client without a refresh token: one table for all of them, so that thousands of end users' clients are
--- cheap. See `devkit4ai.Session`.
return { refresh_at = math.huge, expires_at = math.huge }
