"""Facts about AWS that no API returns: machines, images, regions, networks. Each is here once, for all packages."""
