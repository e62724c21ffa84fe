"""Parts that figures share: axes, labels, legends, colours, text."""
