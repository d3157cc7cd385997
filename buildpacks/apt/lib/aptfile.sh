# Aptfile: one Debian package a line; `#` starts a comment.

most_packages=200

# The lines that count, without comments, blanks around them and carriage returns.
aptfile_lines() { sed -e 's/\r$//' -e 's/#.*//' -e 's/^[[:space:]]*//' -e 's/[[:space:]]*$//' -e '/^$/d' Aptfile; }

# The sentence about the first line that cannot be had, if any.
aptfile_problem() {
  local line shown count=0
  [[ ! -L Aptfile ]] || { printf 'Aptfile is a symbolic link. Replace it by the file itself.'; return; }
  while IFS= read -r line; do
    shown=${line:0:80}
    count=$((count + 1))
    case "$line" in
      :repo:* | repo:*)
        printf 'Aptfile names another package source ("%s"). Only packages of Debian 12 can be had: remove the line.' "$shown" ;;
      http://* | https://* | ftp://*)
        printf 'Aptfile names a download ("%s"). Only packages of Debian 12 can be had: write the name of one.' "$shown" ;;
      *.deb)
        printf 'Aptfile names a package file ("%s"). Only packages of Debian 12 can be had: write the name of one.' "$shown" ;;
      *)
        [[ ! "$line" =~ ^[a-z0-9][a-z0-9+.-]{1,99}$ ]] || continue
        printf 'Aptfile holds "%s", which is no name of a Debian package. Write one name on each line.' "$shown" ;;
    esac
    return
  done < <(aptfile_lines)
  ((count <= most_packages)) || printf 'Aptfile names more than %s packages. Remove some.' "$most_packages"
}
