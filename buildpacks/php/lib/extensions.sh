# Extensions that composer.json and the packages of composer.lock require, as Debian packages.

# Part of php8.2-common, php8.2-cli or php8.2-opcache, which are there in any case.
included=" calendar core ctype date exif ffi fileinfo filter ftp gettext hash iconv json libxml opcache openssl pcntl pcre pdo
 phar posix random readline reflection session shmop sockets sodium spl standard sysvmsg sysvsem sysvshm tokenizer
 zend-opcache zlib "
included=${included//$'\n'/ }

# What has a package of its own name.
packaged=" amqp apcu ast bcmath bz2 curl dba ds enchant gd gearman gmagick gmp gnupg http igbinary imagick imap interbase intl
 ldap mailparse maxminddb mbstring mcrypt memcache memcached mongodb msgpack mysql oauth odbc pgsql pinba ps pspell psr raphf
 redis rrd snmp soap solr sqlite3 ssh2 stomp sybase tidy uopz uploadprogress uuid xml xmlrpc yac yaml zip zmq "
packaged=${packaged//$'\n'/ }

required_extensions() {
  {
    [[ ! -f composer.json ]] || jq -r '.require // {} | objects | keys[]' composer.json
    [[ ! -f composer.lock ]] || jq -r '(.platform // {} | objects | keys[]), (.packages // [] | .[].require // {} | objects | keys[])' composer.lock 2>/dev/null || true
  } | tr '[:upper:]' '[:lower:]' | sed -n 's/^ext-//p' | LC_ALL=C sort -u
}

# package_of EXTENSION: its package; nothing if it is included; fails if there is none.
package_of() {
  case "$1" in
    dom | simplexml | xmlreader | xmlwriter | xsl) printf xml ;;
    mysqli | mysqlnd | pdo_mysql) printf mysql ;;
    pdo_pgsql) printf pgsql ;;
    pdo_sqlite) printf sqlite3 ;;
    pdo_odbc) printf odbc ;;
    pdo_dblib) printf sybase ;;
    pdo_firebird) printf interbase ;;
    *)
      [[ "$included" != *" $1 "* ]] || return 0
      [[ "$packaged" == *" $1 "* ]] || return 1
      printf '%s' "$1"
      ;;
  esac
}

extension_packages() {
  local extension package
  while read -r extension; do
    package=$(package_of "$extension") || continue
    [[ -z "$package" ]] || printf 'php8.2-%s\n' "$package"
  done < <(required_extensions) | LC_ALL=C sort -u
}

# The first extension that cannot be had.
unknown_extension() {
  local extension
  while read -r extension; do
    package_of "$extension" >/dev/null || { printf '%s' "$extension"; return 0; }
  done < <(required_extensions)
}
