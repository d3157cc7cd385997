#!/usr/bin/perl
# Gives a program a terminal of its own: terminal.pl ROWS COLUMNS PROGRAM ARGUMENTS...
# What is typed comes on fd 0, what it draws goes to fd 1, new sizes come as lines "ROWS COLUMNS" on fd 3.
# Ends with the program's exit status; 128 and the signal's number when a signal ended it.
use strict;
use warnings;
use Fcntl qw(O_RDWR O_NOCTTY);
use POSIX ();

# asm-generic/ioctls.h
my ($unlock, $number, $setsize, $setctty) = (0x40045431, 0x80045430, 0x5414, 0x540E);

my ($rows, $columns, @program) = @ARGV;
sysopen(my $master, '/dev/ptmx', O_RDWR | O_NOCTTY) or die "no terminal: $!\n";
my $locked = pack('i', 0);
ioctl($master, $unlock, $locked) or die "terminal stays locked: $!\n";
my $slave_number = pack('I', 0);
ioctl($master, $number, $slave_number) or die "terminal has no number: $!\n";
my $slave_path = '/dev/pts/' . unpack('I', $slave_number);
resize($rows, $columns);

my $pid = fork() // die "no process: $!\n";
if ($pid == 0) {
  POSIX::setsid();
  sysopen(my $slave, $slave_path, O_RDWR) or die "no terminal: $!\n";
  my $take = 0;
  ioctl($slave, $setctty, $take);
  POSIX::dup2(fileno($slave), $_) for 0 .. 2;
  POSIX::close($_) for 3 .. 9;
  exec { $program[0] } @program or die "cannot run $program[0]: $!\n";
}

$SIG{$_} = sub { kill 'HUP', $pid } for qw(TERM HUP INT);
open(my $sizes, '<&=', 3) or die "no sizes: $!\n";
my %open = (0 => \*STDIN, 3 => $sizes, fileno($master) => $master);
my $partial = '';
while ($open{ fileno($master) }) {
  my $ready = '';
  vec($ready, $_, 1) = 1 for keys %open;
  next if select($ready, undef, undef, undef) < 0;
  for my $fd (keys %open) {
    next unless vec($ready, $fd, 1);
    my $got = sysread($open{$fd}, my $bytes, 65536);
    if (!$got) { closed($fd) }
    elsif ($fd == 0) { put($master, $bytes) }
    elsif ($fd == 3) { $partial .= $bytes; resize($1, $2) while $partial =~ s/^(\d+) (\d+)\n// }
    else { put(\*STDOUT, $bytes) }
  }
}
waitpid($pid, 0);
exit($? & 127 ? 128 + ($? & 127) : $? >> 8);

# The end of what is typed is told as a person would: control-D.
sub closed {
  my ($fd) = @_;
  put($master, "\x04") if $fd == 0;
  delete $open{$fd};
}

sub put {
  my ($to, $bytes) = @_;
  while (length $bytes) {
    my $sent = syswrite($to, $bytes) or return;
    substr($bytes, 0, $sent) = '';
  }
}

sub resize {
  my ($high, $wide) = @_;
  my $size = pack('S4', $high, $wide, 0, 0);
  ioctl($master, $setsize, $size);
}
