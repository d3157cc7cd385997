#!/usr/bin/perl
# What the kernel offers for mapped users and Debian 12 has no program for. Exit status 0, or a sentence on standard error.
#   idmap.pl namespace FILE INSIDE:OUTSIDE:COUNT...   a user namespace with these ids, kept at FILE
#   idmap.pl mount FILE rw|ro                         binds each "SOURCE TARGET" of standard input, its owners mapped by FILE's
#                                                     namespace; words end with NUL
#   idmap.pl networks FILE NAME...                    network namespaces as of `ip netns add`, owned by FILE's namespace, with
#                                                     low ports for all and without IPv6
use strict;
use warnings;
use Fcntl qw(O_CREAT O_RDONLY O_WRONLY);
use POSIX ();

# Numbers that differ by processor, then those that do not.
my %own = (
  x86_64  => { mount => 165, unshare => 272, setns => 308 },
  aarch64 => { mount => 40,  unshare => 97,  setns => 268 },
);
my $number = $own{ (POSIX::uname())[4] } or die "user mapping is not known on this processor\n";
my ($open_tree, $move_mount, $mount_setattr) = (428, 429, 442);
my ($new_user, $new_net) = (0x10000000, 0x40000000);
my ($bind, $recursive, $shared) = (0x1000, 0x4000, 0x100000);
my $none = "\0";

my ($what, $file, @rest) = @ARGV;
if    ($what eq 'namespace') { keep_namespace($file, @rest) }
elsif ($what eq 'mount')     { mount_mapped($file, @rest) }
elsif ($what eq 'networks')  { make_networks($file, @rest) }
else                         { die "idmap.pl does not know $what\n" }

sub keep_namespace {
  my ($at, @extents) = @_;
  my ($child, $let_go) = in_child(sub { call('unshare', $new_user) });
  my $map = join '', map { my ($inside, $outside, $count) = split /:/; "$inside $outside $count\n" } @extents;
  for my $ids ('gid_map', 'uid_map') {
    sysopen(my $out, "/proc/$child/$ids", O_WRONLY) or die "cannot map users: $!\n";
    defined syswrite($out, $map) or die "cannot map users: $!\n";
  }
  bind_file("/proc/$child/ns/user", $at);
  $let_go->();
}

sub mount_mapped {
  my ($namespace, $how) = @_;
  sysopen(my $users, $namespace, O_RDONLY) or die "cannot open $namespace: $!\n";
  local $/ = "\0";
  chomp(my @words = <STDIN>);
  while (my ($source, $target) = splice @words, 0, 2) {
    my $tree = syscall($open_tree, -100, $source, 0x80001);    # OPEN_TREE_CLONE, O_CLOEXEC
    die "cannot take $source: $!\n" if $tree < 0;
    my $attributes = pack('Q4', 0x100000 | 0x6 | ($how eq 'ro' ? 1 : 0), 0, 0, fileno($users)); # IDMAP, NODEV, NOSUID, RDONLY
    syscall($mount_setattr, $tree, $none, 0x1000, $attributes, 32) == 0 or die "cannot map the owners of $source: $!\n";
    syscall($move_mount, $tree, $none, -100, $target, 0x4) == 0 or die "cannot mount at $target: $!\n";
    POSIX::close($tree);
  }
}

sub make_networks {
  my ($namespace, @names) = @_;
  my $folder = '/run/netns';
  mkdir $folder, 0755;
  if (syscall($number->{mount}, $none, $folder, $none, $shared | $recursive, 0) != 0) {
    call('mount', $folder, $folder, $none, $bind | $recursive, 0);
    call('mount', $none, $folder, $none, $shared | $recursive, 0);
  }
  sysopen(my $users, $namespace, O_RDONLY) or die "cannot open $namespace: $!\n";
  for my $name (@names) {
    my ($child, $let_go) = in_child(sub {
      call('setns', fileno($users), $new_user);
      call('unshare', $new_net);
      set_network('ipv4/ip_unprivileged_port_start', 0);
      -e '/proc/sys/net/ipv6' and set_network("ipv6/conf/$_/disable_ipv6", 1) for 'all', 'default';
    });
    bind_file("/proc/$child/ns/net", "$folder/$name");
    $let_go->();
  }
}

# A process that has done something, and the way to end it.
sub in_child {
  my ($work) = @_;
  pipe(my $done, my $tell) or die "no pipe: $!\n";
  pipe(my $wait, my $end) or die "no pipe: $!\n";
  my $pid = fork() // die "no process: $!\n";
  if ($pid == 0) {
    close $done;
    close $end;
    my $failure = eval { $work->(); 1 } ? '' : $@;
    syswrite $tell, $failure || "\n";
    sysread $wait, my $nothing, 1;
    POSIX::_exit(0);
  }
  close $tell;
  close $wait;
  sysread $done, my $said, 1000;
  die $said // "a process ended\n" if ($said // '') ne "\n";
  return ($pid, sub { close $end; waitpid $pid, 0 });
}

# Only the owner of the network may: from inside, a container's user is not.
sub set_network {
  my ($name, $value) = @_;
  sysopen(my $out, "/proc/sys/net/$name", O_WRONLY) or die "cannot open $name: $!\n";
  defined syswrite($out, "$value\n") or die "cannot set $name: $!\n";
}

sub bind_file {
  my ($source, $target) = @_;
  sysopen(my $made, $target, O_CREAT | O_RDONLY, 0600) or die "cannot make $target: $!\n";
  close $made;
  call('mount', $source, $target, $none, $bind, 0);
}

sub call {
  my ($name, @arguments) = @_;
  syscall($number->{$name}, @arguments) == 0 or die "$name failed: $!\n";
}
