# Finds libcurl, libuv, OpenSSL and zlib, or says which packages bring all of them.
find_package(PkgConfig)

set(LC_MISSING "")
macro(lc_require target name minimum)
  if(PKG_CONFIG_FOUND)
    pkg_check_modules(${target} IMPORTED_TARGET QUIET ${name}>=${minimum})
  endif()
  if(NOT ${target}_FOUND)
    list(APPEND LC_MISSING "${name} >= ${minimum}")
  endif()
endmacro()

lc_require(LC_CURL libcurl 7.88)
lc_require(LC_UV libuv 1.44)
lc_require(LC_OPENSSL openssl 3.0)
lc_require(LC_ZLIB zlib 1.2)

if(LC_MISSING OR NOT PKG_CONFIG_FOUND)
  if(NOT PKG_CONFIG_FOUND)
    list(PREPEND LC_MISSING "pkg-config")
  endif()
  list(JOIN LC_MISSING ", " LC_MISSING_TEXT)
  message(FATAL_ERROR
    "locust-c cannot be built: missing ${LC_MISSING_TEXT}.\n"
    "Install the system libraries with one of these and run the same command again:\n"
    "  Debian, Ubuntu:  apt-get install gcc pkg-config libcurl4-openssl-dev libuv1-dev libssl-dev zlib1g-dev python3-dev\n"
    "  Fedora, RHEL:    dnf install gcc pkgconf-pkg-config libcurl-devel libuv-devel openssl-devel zlib-devel python3-devel\n"
    "  Alpine:          apk add gcc musl-dev linux-headers pkgconf curl-dev libuv-dev openssl-dev zlib-dev python3-dev\n"
    "  macOS Homebrew:  brew install pkg-config curl libuv openssl@3 zlib\n")
endif()

add_library(lc_system_libraries INTERFACE)
target_link_libraries(lc_system_libraries INTERFACE
  PkgConfig::LC_CURL PkgConfig::LC_UV PkgConfig::LC_OPENSSL PkgConfig::LC_ZLIB)
