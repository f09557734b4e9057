-- A replay can end where nobody can use it.
set role fleetgraph_owner;
alter type replay_outcome add value 'DEAD_LETTERED';
reset role;
