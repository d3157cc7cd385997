# A layer that only sets defaults of the app's environment; what the user has set wins.
write_settings() {
  local layer=$CNB_LAYERS_DIR/settings
  rm -rf "$layer"
  mkdir -p "$layer/env.launch"
  printf '%s' '-XX:MaxRAMPercentage=70' >"$layer/env.launch/JAVA_OPTS.default"
  printf '[types]\nlaunch = true\n' >"$layer.toml"
}

write_processes() {
  local jar command
  jar=$(runnable_jar)
  if [[ -z "$jar" ]]; then
    [[ -f Procfile ]] || fail "The build gave no jar with a Main-Class, so there is nothing to run. Set the main class in the jar's manifest, or add a Procfile."
    return 0
  fi
  detail "Found $jar"
  # The memory that percentages count from is the instance's; Java would take the host's where it sees no control groups.
  command="exec java \${MEMORY_AVAILABLE:+-XX:MaxRAM=\${MEMORY_AVAILABLE}m} -Dserver.port=\"\${PORT:-5000}\" \$JAVA_OPTS"
  [[ "$jar" != */quarkus-run.jar ]] || command+=" -Dquarkus.http.port=\"\${PORT:-5000}\" -Dquarkus.http.host=0.0.0.0"
  command+=" -jar $(printf '%q' "$jar")"
  printf '[[processes]]\ntype = "web"\ncommand = %s\ndefault = true\n' "$(jq -cn '$ARGS.positional' --args -- bash -c "$command")" >"$CNB_LAYERS_DIR/launch.toml"
}

# The largest jar with a main class, in the root's target before those of modules.
runnable_jar() {
  local folder jar
  [[ ! -f target/quarkus-app/quarkus-run.jar ]] || { printf target/quarkus-app/quarkus-run.jar; return 0; }
  for folder in target build/libs '*/target' '*/build/libs'; do
    while IFS= read -r jar; do
      ! unzip -p "$jar" META-INF/MANIFEST.MF 2>/dev/null | grep '^Main-Class:' >/dev/null || { printf '%s' "$jar"; return 0; }
    done < <(compgen -G "$folder/*.jar" | grep -vE -e '-(sources|javadoc|tests|plain)\.jar$' -e '/original-[^/]*$' | xargs -d '\n' -r ls -S)
  done
}
