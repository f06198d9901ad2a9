"""The command line. Each command is a module; `soma.project.main` loads the one that is asked for."""
