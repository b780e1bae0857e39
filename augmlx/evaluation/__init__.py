"""The arms on the same items: what is asked, how answers are scored, and what that comes to, in one
summary that is written and read here alone.

It works through the Engine protocol and never imports mlx; it trains nothing, and no figure is
called a difference or a loss that its interval does not show.
"""
