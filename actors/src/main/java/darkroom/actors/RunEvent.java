package darkroom.actors;

/** What a run tells the one who watches it. */
public sealed interface RunEvent permits DeskEvent {}
