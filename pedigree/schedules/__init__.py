"""Schedule expressions: what they mean, and when they fire. Pure, and known to whoever writes, shows or obeys them."""
