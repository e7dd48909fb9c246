"""Services, each a bundle of plugins and the operations on top of them."""
