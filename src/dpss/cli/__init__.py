"""The command line: commands, options, progress, log lines; the only package that prints."""
