# Layers: `maven` or `gradle` (cache), the tool itself if a wrapper fetched it, and what it downloaded.

# Debian's Gradle is too old for what is written today, so the wrapper brings it.
check_wrapper() {
  [[ -f pom.xml || -f gradlew ]] || fail "The Gradle wrapper is missing. Run gradle wrapper and commit gradlew with its folder gradle."
}

build_app() {
  if [[ -f pom.xml ]]; then
    build_with_maven
  else
    build_with_gradle
  fi
}

build_with_maven() {
  local goals tool=(mvn) arguments=(-B -ntp "-Dmaven.repo.local=$MAVEN_USER_HOME/repository" -DskipTests)
  [[ ! -f mvnw ]] || tool=(sh mvnw)
  [[ ! -x mvnw ]] || tool=(./mvnw)
  [[ ! -f settings.xml ]] || arguments+=(-s settings.xml)
  read -ra goals <<<"${MAVEN_CUSTOM_OPTS-} ${MAVEN_CUSTOM_GOALS:-package}"
  keep_layer "$MAVEN_USER_HOME"
  step "Running ${tool[*]} ${goals[*]}"
  # A pom.xml may start a shell of its own; what it leaves on standard input is not ours.
  "${tool[@]}" "${arguments[@]}" "${goals[@]}" </dev/null 2>&1 | tee "$log" | quiet || explain "${tool[*]} ${goals[*]}"
}

build_with_gradle() {
  local tasks tool=(sh gradlew)
  [[ ! -x gradlew ]] || tool=(./gradlew)
  read -ra tasks <<<"${GRADLE_TASK:-$(gradle_task)}"
  keep_layer "$GRADLE_USER_HOME"
  step "Running ${tool[*]} ${tasks[*]}"
  "${tool[@]}" --no-daemon --console=plain "${tasks[@]}" </dev/null 2>&1 | tee "$log" | quiet || explain "${tool[*]} ${tasks[*]}"
  # Locks and the marks of a daemon differ from build to build and would make the layer another one each time.
  rm -rf "$GRADLE_USER_HOME/daemon" "$GRADLE_USER_HOME/.tmp" "$GRADLE_USER_HOME/notifications"
}

log=/tmp/build-output
# explain COMMAND: ends the build with what its output says is wrong.
explain() {
  local said
  said=$(sed -nE -e 's|^.*Non-[a-z]+ POM /workspace/([^:]+): (.+)$|\1 does not parse: \2|p' -e "s|^Could not compile (build\|settings) file '/workspace/([^']+)'\.$|\2 does not parse; what is wrong is above|p" "$log" | head -n 1)
  [[ -z "$said" ]] || fail "$said. Correct it."
  fail "$1 failed. Its output is above."
}

# A task `stage` is how Gradle apps say what to do for a platform.
gradle_task() {
  if grep -qsE '(^|[[:space:]])(task[[:space:]]+|register\(["'"'"'])?stage\b' build.gradle build.gradle.kts; then printf stage; else printf assemble; fi
}

keep_layer() {
  [[ ! -d "$1" ]] || detail "Reusing the downloads of the last build"
  mkdir -p "$1"
  printf '[types]\ncache = true\n' >"$1.toml"
}

quiet() { sed -u '/^Picked up JAVA_TOOL_OPTIONS/d' | indent; }
