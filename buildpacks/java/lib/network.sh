# Java reads neither SSL_CERT_FILE nor HTTPS_PROXY, so what the operator of the host has set is said in its own words.
trust_operator() {
  local options=()
  if [[ -f "${SSL_CERT_FILE-}" ]]; then
    java -XX:TieredStopAtLevel=1 -XX:+UseSerialGC "$CNB_BUILDPACK_DIR/lib/TrustStore.java" "$SSL_CERT_FILE" /tmp/trust.p12
    options+=(-Djavax.net.ssl.trustStore=/tmp/trust.p12 -Djavax.net.ssl.trustStorePassword=changeit)
  fi
  proxy_options https "${HTTPS_PROXY:-${https_proxy-}}"
  proxy_options http "${HTTP_PROXY:-${http_proxy-}}"
  ((${#options[@]} == 0)) || export JAVA_TOOL_OPTIONS="${options[*]}"
}

# proxy_options SCHEME URL: adds to `options`.
proxy_options() {
  [[ "$2" =~ ^(https?://)?([^/:@]+):([0-9]+)/?$ ]] || return 0
  options+=("-D$1.proxyHost=${BASH_REMATCH[2]}" "-D$1.proxyPort=${BASH_REMATCH[3]}")
  local direct=${NO_PROXY:-${no_proxy-}}
  direct=${direct//,/|}
  [[ -z "$direct" ]] || options+=("-Dhttp.nonProxyHosts=${direct//|./|*.}")
}
