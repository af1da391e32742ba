function love.conf(settings)
  settings.identity, settings.version = "devkit4ai-studio", "11.4" -- identity: the name of the save folder
  settings.window.title, settings.window.width, settings.window.height = "Image Studio", 1080, 680
  settings.window.resizable, settings.modules.audio, settings.modules.sound = true, false, false
end
