# modcat.m4: for the configure.ac of a driver of modcat.          serial 2

# MODCAT_DRIVER_KIT([ACTION-IF-FOUND], [ACTION-IF-NOT-FOUND])
# -----------------------------------------------------------
# Finds an installed modcat by its modcat.pc, and sets for Makefiles:
#   MODCAT                 the program, to make manifests with
#   MODCAT_DRIVER_CHECK    the program that checks drivers
#   MODCAT_DRIVER_CFLAGS   to compile a driver's sources with
#   MODCAT_DRIVER_CXXFLAGS the same for sources in C++, and
#   MODCAT_DRIVER_LDFLAGS  to link them to NAME.so; there is no library to link
#   MODCAT_DRIVER_ABI      the driver ABI, MAJOR.MINOR
#   modcatdriverdir        where drivers and their manifests are installed
#   modcatmandir           where manual pages are installed
# PKG_CONFIG_PATH and PKG_CONFIG_SYSROOT_DIR find one that is not, or not yet, in its place. Both
# directories can be overridden: --with-modcatdriverdir, --with-modcatmandir, arguments of make.
AC_DEFUN([MODCAT_DRIVER_KIT], [
  AC_REQUIRE([AC_PROG_CC])
  AC_REQUIRE([PKG_PROG_PKG_CONFIG])
  PKG_CHECK_MODULES([MODCAT_KIT], [modcat], [modcat_kit=yes], [modcat_kit=no])
  AS_IF([test "$modcat_kit" = yes], [
    # Some versions of pkg-config put the root before variables, some do not.
    modcat_root=$PKG_CONFIG_SYSROOT_DIR
    modcat_variable () {
      $PKG_CONFIG --variable=$[1] modcat | sed "s|^$modcat_root/|/|"
    }
    modcat_bindir=$modcat_root`modcat_variable bindir`
    AC_ARG_WITH([modcatdriverdir],
      [AS_HELP_STRING([--with-modcatdriverdir=DIR], [install drivers here @<:@where modcat finds them@:>@])],
      [modcatdriverdir=$withval], [modcatdriverdir=`modcat_variable driverdir`])
    AC_ARG_WITH([modcatmandir],
      [AS_HELP_STRING([--with-modcatmandir=DIR], [install manual pages here @<:@where those of modcat are@:>@])],
      [modcatmandir=$withval], [modcatmandir=`modcat_variable mandir`])
    MODCAT_DRIVER_ABI=`$PKG_CONFIG --variable=abi modcat`
    MODCAT_DRIVER_CFLAGS="$MODCAT_KIT_CFLAGS -fPIC -fvisibility=hidden"
    # C++ takes a member that is left out for a mistake, where C does not.
    MODCAT_DRIVER_CXXFLAGS="$MODCAT_DRIVER_CFLAGS -Wno-missing-field-initializers"
    modcat_map=$modcat_root`modcat_variable driver_map`
    MODCAT_DRIVER_LDFLAGS=`$PKG_CONFIG --variable=driver_ldflags modcat |
      sed "s|--version-script=.*|--version-script=$modcat_map|"`
    AC_PATH_PROG([MODCAT], [modcat], [no], [$modcat_bindir:$PATH])
    AC_PATH_PROG([MODCAT_DRIVER_CHECK], [modcat-driver-check], [no], [$modcat_bindir:$PATH])
    AC_SUBST([MODCAT_DRIVER_ABI])
    AC_SUBST([MODCAT_DRIVER_CFLAGS])
    AC_SUBST([MODCAT_DRIVER_CXXFLAGS])
    AC_SUBST([MODCAT_DRIVER_LDFLAGS])
    AC_SUBST([modcatdriverdir])
    AC_SUBST([modcatmandir])
    $1], [m4_default([$2], [AC_MSG_ERROR([modcat is not installed: modcat.pc is missing])])])
])
