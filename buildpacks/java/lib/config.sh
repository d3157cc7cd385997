# The app's build sees its config, except what would change the tools themselves.
load_config() {
  local file name
  for file in "$CNB_PLATFORM_DIR"/env/*; do
    [[ -f "$file" ]] || continue
    name=${file##*/}
    case "$name" in
      PATH | HOME | PWD | SHELL | IFS | ENV | BASH_* | LD_* | CNB_* | GIT_DIR | PORT | DYNO | JAVA_HOME | JAVA_OPTS | JAVA_TOOL_OPTIONS | JDK_JAVA_OPTIONS | MAVEN_USER_HOME | GRADLE_USER_HOME) continue ;;
    esac
    export "$name=$(cat "$file"; printf x)"
    export "$name=${!name%x}"
  done
  JAVA_HOME=$(dirname "$(dirname "$(readlink -f "$(command -v javac)")")")
  export JAVA_HOME MAVEN_USER_HOME=$CNB_LAYERS_DIR/maven GRADLE_USER_HOME=$CNB_LAYERS_DIR/gradle
}
