"""What methods share that remove part of an image: windows, regions, and what fills them."""
