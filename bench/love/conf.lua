function love.conf(settings)
  settings.window.title, settings.window.vsync = "bench", 0
  settings.modules.audio, settings.modules.sound = false, false
end
