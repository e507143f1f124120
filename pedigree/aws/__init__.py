"""Facts about AWS that no API tells: machines, images, regions, networks. Each stands here once."""
