# The Debian packages, which dpkg-buildpackage builds.
EXTRA_DIST += \
	debian/changelog \
	debian/control \
	debian/copyright \
	debian/debian.mk \
	debian/modcat-dev.docs \
	debian/modcat-dev.examples \
	debian/modcat-dev.install \
	debian/modcat-driver-failover.install \
	debian/modcat-driver-keep.install \
	debian/modcat-driver-openssl.install \
	debian/modcat-driver-pp.install \
	debian/modcat-driver-readline.install \
	debian/modcat-driver-sctp.install \
	debian/modcat-driver-tcpwrap.install \
	debian/modcat-driver-ws.install \
	debian/modcat-socat.install \
	debian/modcat-socat.links \
	debian/modcat.docs \
	debian/modcat.install \
	debian/modcat.lintian-overrides \
	debian/rules \
	debian/source/format \
	debian/source/options
