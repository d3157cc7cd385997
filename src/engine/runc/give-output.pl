#!/usr/bin/perl
# Runs a program with output that belongs to a user: give-output.pl UID GID PROGRAM ARGUMENTS...
# The supervisor's pipes are the host's root's; who is mapped could write to them, but not open them again by /dev/stdout.
my ($uid, $gid, @program) = @ARGV;
for my $output (*STDOUT, *STDERR) {
  -p $output and (chown($uid, $gid, $output) or die "cannot give the output to user $uid: $!\n");
}
exec { $program[0] } @program or die "cannot run $program[0]: $!\n";
