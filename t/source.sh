#!/bin/sh
#
# Unpacks the upstream source of the installed nginx to <build>/src.  The
# package lists with the source entries are private: neither the machine's
# own lists nor its list of repositories is touched, so any user can run it.
#
# usage: t/source.sh <build>

set -e

build=$(mkdir -p "$1" && cd "$1" && pwd)
apt=$build/apt
version=$(dpkg-query -W -f '${source:Upstream-Version}' nginx)
package=$(dpkg-query -W -f '${source:Version}' nginx)
tree=$build/src/nginx-$version


# The repositories of this machine, in both of apt's formats.

write_sources() {
    for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
        [ -f "$file" ] && sed -n 's/^deb[[:space:]]/deb-src /p' "$file" \
            > "$apt/sources.list.d/$(basename "$file" .list).list"
    done

    for file in /etc/apt/sources.list.d/*.sources; do
        [ -f "$file" ] && sed 's/^Types:.*/Types: deb-src/' "$file" \
            > "$apt/sources.list.d/$(basename "$file")"
    done

    return 0
}


# The hooks of the machine's configuration belong to its own lists: some
# empty /var/cache/apt.  Its proxy settings stay in force.

write_config() {
    cat > "$apt/apt.conf" << END
Dir::Etc::sourcelist "/dev/null";
Dir::Etc::sourceparts "$apt/sources.list.d";
Dir::State::lists "$apt/lists";
Dir::Cache "$apt/cache";
APT::Sandbox::User "";
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
END
}


# Prints "URI name size hash".  A security update may be gone from the
# mirror, but the upstream tarball is shared by all revisions of a version.

find_tarball() {
    { apt-get -c "$apt/apt.conf" source --print-uris nginx="$package" \
      || apt-get -c "$apt/apt.conf" source --print-uris nginx; } 2> /dev/null \
        | tr -d "'" | grep "nginx_$version\.orig\.tar\.[a-z0-9]* " \
        | head -n 1
}


[ -x "$tree/configure" ] && exit 0

rm -rf "$apt"
mkdir -p "$apt/sources.list.d" "$apt/lists/partial" \
         "$apt/cache/archives/partial" "$build/src"

write_sources
write_config

# A repository without sources is an error to apt, but not to us.

apt-get -c "$apt/apt.conf" -qq update > "$apt/update.log" 2>&1 || :

set -- $(find_tarball)

if [ -z "$4" ]; then
    cat "$apt/update.log" >&2
    echo "$0: no repository has the source of nginx $version" >&2
    exit 1
fi

# By name of the hash: apt prefers the strongest one the index has.

/usr/lib/apt/apt-helper -c "$apt/apt.conf" -qq \
    download-file "$1" "$apt/$2" "$4"

rm -rf "$apt/tree"
mkdir "$apt/tree"
tar -C "$apt/tree" --no-same-owner -xf "$apt/$2"
rm -rf "$tree"
mv "$apt"/tree/* "$tree"
