# The Go that Debian has.
minor=19
release=1.$minor

# wanted NAME: the value of a line of go.mod: "go 1.18", "toolchain go1.21.0".
wanted() { sed -nE "s|^$1[[:space:]]+([^[:space:]/]+).*|\1|p" go.mod | head -n 1; }

# Nothing, or the sentence that says why go.mod's version cannot be had.
version_problem() {
  local name text asked
  for name in go toolchain; do
    text=$(wanted "$name")
    text=${text#go}
    [[ -n "$text" && "$text" != default && "$text" != local ]] || continue
    if ! [[ "$text" =~ ^1\.([0-9]{1,4})($|[.a-z-]) ]]; then
      printf 'go.mod names Go version "%s", which is no version of Go. Write "go %s" or lower.' "${text:0:40}" "$release"
      return
    fi
    asked=${BASH_REMATCH[1]}
    if ((10#$asked > minor)); then
      printf 'go.mod asks for Go %s, which cannot be had: this host has Go %s. Write "go %s" or lower in go.mod, and remove a toolchain line.' "${text:0:40}" "$release" "$release"
    elif [[ "$name" == go && ! "$text" =~ ^1\.[0-9]+$ ]]; then
      printf 'go.mod asks for Go %s, which Go %s does not read. Write "go 1.%s".' "${text:0:40}" "$release" "$asked"
    else
      continue
    fi
    return
  done
}
