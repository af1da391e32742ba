--- The modules of the commands, in the order of the help text.
return {
  "devkit4ai.cli.commands.sandbox.quickstart",
  "devkit4ai.cli.commands.account.register",
  "devkit4ai.cli.commands.account.login",
  "devkit4ai.cli.commands.account.logout",
  "devkit4ai.cli.commands.account.me",
  "devkit4ai.cli.commands.project.projects",
  "devkit4ai.cli.commands.project.keys",
  "devkit4ai.cli.commands.generation.generate",
  "devkit4ai.cli.commands.generation.wait",
  "devkit4ai.cli.commands.generation.save",
  "devkit4ai.cli.commands.generation.list",
  "devkit4ai.cli.commands.config",
  "devkit4ai.cli.commands.sandbox.sandbox",
  "devkit4ai.cli.commands.completion",
  "devkit4ai.cli.commands.version",
  "devkit4ai.cli.commands.help",
}
