# What Gemfile.lock says: gems stand at four spaces, as `    name (version)` or `    name (version-platform)`.

declare -A gems=()
if [[ -f Gemfile.lock ]]; then
  while read -r name version; do
    gems[$name]+="$version "
  done < <(sed -nE 's/\r$//; s/^ {4}([A-Za-z0-9_.-]+) \(([A-Za-z0-9_.-]+)\)$/\1 \2/p' Gemfile.lock)
fi

# has_gem NAME...: whether one of them is locked.
has_gem() {
  local name
  for name in "$@"; do [[ ! -v "gems[$name]" ]] || return 0; done
  return 1
}

# Gem, Debian packages that its C code is compiled with, packages that it runs with.
libraries='
charlock_holmes libicu-dev libicu72
curb libcurl4-openssl-dev libcurl4
ffi libffi-dev
idn-ruby libidn-dev libidn12
mysql2 default-libmysqlclient-dev libmariadb3
nokogiri zlib1g-dev
pg libpq-dev libpq5
psych libyaml-dev
puma libssl-dev
rbnacl - libsodium23
rmagick libmagickwand-dev libmagickwand-6.q16-6
ruby-vips - libvips42
rugged cmake,libssl-dev
sqlite3 libsqlite3-dev libsqlite3-0
tiny_tds freetds-dev libsybdb5
'

# libraries_of_gems build|launch
libraries_of_gems() {
  local gem build launch found=()
  while read -r gem build launch; do
    [[ -n "$gem" ]] && has_gem "$gem" || continue
    [[ "$1" == build ]] || build=$launch
    [[ -z "$build" || "$build" == - ]] || found+=("${build//,/ }")
  done <<<"$libraries"
  echo "${found[*]}"
}

# Gems in use everywhere that hold Ruby alone.
pure=" actioncable actionmailbox actionmailer actionpack actiontext actionview activejob activemodel activerecord activestorage
 activesupport addressable ast base64 builder bundler coderay concurrent-ruby connection_pool crass cssbundling-rails devise
 dotenv dotenv-rails drb erubi et-orbi execjs faraday faraday-net_http fugit globalid haml hashie i18n image_processing
 importmap-rails jbuilder jsbundling-rails jwt kaminari kramdown liquid logger loofah mail marcel method_source mime-types
 mime-types-data mini_mime mini_portile2 minitest multi_json mustermann mutex_m net-http net-imap net-pop net-protocol
 net-smtp orm_adapter ostruct propshaft public_suffix pundit rack rack-protection rack-session rack-test rackup rails
 rails-dom-testing rails-html-sanitizer railties rake rbnacl rdoc redis redis-client reline responders roda ruby-vips
 ruby2_keywords rubyzip securerandom sequel sidekiq sinatra slim solid_cable solid_cache solid_queue sprockets sprockets-rails
 stimulus-rails temple thor tilt timeout turbo-rails tzinfo uri useragent warden webrick websocket-extensions zeitwerk "
pure=${pure//$'\n'/ }

# Gemfile.lock does not say which gems hold C code, so each that is not known to hold none counts.
has_native_gems() {
  local name
  for name in "${!gems[@]}"; do
    [[ "$pure" == *" $name "* ]] || is_compiled "$name" || is_pure_in_cache "$name" || return 0
  done
  return 1
}

# Whether a gem is locked with its code compiled for this machine.
is_compiled() { [[ "${gems[$1]}" =~ -$(uname -m)-linux ]]; }

# Whether the gem lies in vendor/cache and says that it has nothing to compile.
is_pure_in_cache() {
  local version file
  for version in ${gems[$1]}; do
    file=vendor/cache/$1-$version.gem
    [[ -f "$file" ]] || return 1
    ! tar -xOf "$file" metadata.gz 2>/dev/null | gzip -dc 2>/dev/null | grep -E '^extensions:[[:space:]]*$' >/dev/null || return 1
  done
}
