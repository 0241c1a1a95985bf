# Enables C, finds libcurl, libuv, OpenSSL, the compression libraries and the Python headers, or stops with one message
# that names everything that is missing and the packages that bring it.
include(CheckLanguage)

set(LC_MISSING "")
check_language(C)
if(CMAKE_C_COMPILER)
  enable_language(C)
else()
  list(APPEND LC_MISSING "a C compiler")
endif()

find_package(PkgConfig QUIET)
if(NOT PKG_CONFIG_FOUND)
  list(APPEND LC_MISSING "pkg-config")
endif()

# A macro, since the imported targets belong to the directory that calls it.
macro(lc_require target name minimum)
  if(PKG_CONFIG_FOUND)
    pkg_check_modules(${target} IMPORTED_TARGET QUIET ${name}>=${minimum})
  endif()
  if(NOT ${target}_FOUND)
    list(APPEND LC_MISSING "${name} ${minimum} or newer")
  endif()
endmacro()

lc_require(LC_CURL libcurl 7.88)
lc_require(LC_UV libuv 1.44)
lc_require(LC_OPENSSL openssl 3.0)
lc_require(LC_ZLIB zlib 1.2)
lc_require(LC_BROTLI libbrotlidec 1.0)
lc_require(LC_ZSTD libzstd 1.4)

if(LC_BUILD_PYTHON AND CMAKE_C_COMPILER)
  find_package(Python QUIET COMPONENTS Interpreter Development.Module)
  if(NOT Python_Development.Module_FOUND)
    list(APPEND LC_MISSING "the headers of Python")
  endif()
endif()

if(LC_MISSING)
  list(JOIN LC_MISSING ", " LC_MISSING_TEXT)
  # Lines that begin with a space are printed as they are; others would be wrapped.
  string(CONCAT LC_MESSAGE
    " locust-c cannot be built, this is missing: ${LC_MISSING_TEXT}.\n"
    " Install it with the line for this system, and run the same command again:\n"
    "   Debian, Ubuntu:  apt-get install gcc pkg-config libcurl4-openssl-dev libuv1-dev libssl-dev"
    " zlib1g-dev libbrotli-dev libzstd-dev python3-dev\n"
    "   Fedora, RHEL:    dnf install gcc pkgconf-pkg-config libcurl-devel libuv-devel openssl-devel"
    " zlib-devel brotli-devel libzstd-devel python3-devel\n"
    "   Alpine:          apk add gcc musl-dev linux-headers pkgconf curl-dev libuv-dev openssl-dev"
    " zlib-dev brotli-dev zstd-dev python3-dev\n"
    "   macOS, Homebrew: brew install pkgconf curl libuv openssl@3 zlib brotli zstd\n"
    "                    export PKG_CONFIG_PATH=\"$(brew --prefix)/opt/curl/lib/pkgconfig\"\n")
  message(FATAL_ERROR "${LC_MESSAGE}")
endif()

add_library(lc_system_libraries INTERFACE)
target_link_libraries(lc_system_libraries INTERFACE
  PkgConfig::LC_CURL PkgConfig::LC_UV PkgConfig::LC_OPENSSL PkgConfig::LC_ZLIB PkgConfig::LC_BROTLI
  PkgConfig::LC_ZSTD)
