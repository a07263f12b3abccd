package darkroom.edittasks.tasks;

import darkroom.edittasks.tasks.Catalogue.Poses;
import darkroom.edittasks.tasks.Catalogue.Thing;
import darkroom.edittasks.tasks.Scene.Placed;
import java.util.List;
import java.util.Objects;
import java.util.Set;

/** Changes what an object does: another pose in one of two cases, else it is moved, mirrored or turned upside down. */
record ActionTemplate() implements TaskTemplate {
    private static final int CASES = 4;
    private static final int MOVE_LEFT = 0;
    private static final int MOVE_BELOW = 2;
    private static final int FLIP = 2;

    /** Centre of a moved object on the left; it is nearer to the middle than one of a pair. */
    private static final int MOVED_LEFT = 10;

    /** Centre of a moved object on the right. */
    private static final int MOVED_RIGHT = 22;

    /** Poses that are the verb of an instruction. */
    private static final Set<String> IMPERATIVES = Set.of("open", "close", "hatch");

    /** Prefix of a pose that an object can have only before the edit. */
    private static final String BEFORE_ONLY = "-";

    @Override
    public Plan draw(PlanDraws draws) {
        if (draws.half()) {
            return pose(draws);
        }
        Thing thing = draws.subject();
        Thing other = draws.beside(thing);
        int which = draws.below(CASES);
        Backdrop backdrop = draws.scene();
        return which < MOVE_BELOW
                ? move(thing, other, which == MOVE_LEFT, backdrop, draws)
                : turn(thing, other, which == FLIP, backdrop, draws);
    }

    private static Plan move(Thing thing, Thing other, boolean left, Backdrop backdrop, PlanDraws draws) {
        int before = left ? MOVED_RIGHT : MOVED_LEFT;
        int after = left ? MOVED_LEFT : MOVED_RIGHT;
        String side = left ? "left" : "right";
        Placed placed = new Placed(thing.icon(), before, draws.floor(), draws.between(15, 18));
        Scene source = new Scene(backdrop, List.of(placed));
        return new Plan(
                new Combination(TaskType.ACTION, thing.say(), "move", -1),
                new Plan.Request(
                        draws.one("move", "shift") + " the " + thing.say() + " to the " + side,
                        "The " + thing.say() + " must stand on the " + side
                                + ", of the same size and colour, and no longer where it was. The background must stay"
                                + " as it was."),
                source,
                source.change(0, p -> p.centre(after)),
                new Plan.WrongTargets(source.with(placed.centre(after)), source.change(0, p -> p.centre(after)
                        .icon(other.icon()))));
    }

    private static Plan turn(Thing thing, Thing other, boolean flip, Backdrop backdrop, PlanDraws draws) {
        Scene source = new Scene(backdrop, List.of(draws.alone(thing.icon())));
        return new Plan(
                new Combination(TaskType.ACTION, thing.say(), flip ? "flip" : "turn", -1),
                new Plan.Request(
                        flip
                                ? draws.one("flip the ", "mirror the ") + thing.say()
                                : "turn the " + thing.say() + " upside down",
                        "The " + thing.say() + " must be " + (flip ? "mirrored, left for right" : "upside down")
                                + ", in its place. The background must stay as it was."),
                source,
                source.change(0, flip ? Placed::mirror : Placed::invert),
                new Plan.WrongTargets(
                        source.change(
                                0,
                                flip ? Placed::invert : p -> p.invert().mirror().icon(other.icon())),
                        source.change(0, p -> p.icon(other.icon()))));
    }

    private static Plan pose(PlanDraws draws) {
        Poses poses = draws.one(Catalogue.POSES);
        List<String> verbs = List.copyOf(poses.poses().keySet());
        List<String> reachable =
                verbs.stream().filter(v -> !v.startsWith(BEFORE_ONLY)).toList();
        String verb = draws.one(reachable);
        String from = draws.other(verbs, verb);
        String fresh = icon(poses, verb);
        Backdrop backdrop = draws.scene();
        Scene source = new Scene(backdrop, List.of(draws.alone(icon(poses, from))));
        String shape = verbs.size() > 2 ? icon(poses, draws.other(verbs, verb, from)) : "";
        Thing other = draws.beside();
        String subject = poses.subject();
        return new Plan(
                new Combination(TaskType.ACTION, subject + ":" + verb + ":" + name(backdrop)),
                new Plan.Request(
                        IMPERATIVES.contains(verb) ? verb + " the " + subject : "make the " + subject + " " + verb,
                        "The " + subject + " must now show this: " + verb + ". It must stay the same " + subject
                                + " in the same place. The background must stay as it was."),
                source,
                source.change(0, p -> p.icon(fresh)),
                new Plan.WrongTargets(
                        source.change(0, p -> shape.isEmpty() ? p.invert() : p.icon(shape)),
                        source.change(0, p -> p.icon(other.icon()))));
    }

    private static String name(Backdrop backdrop) {
        return switch (backdrop) {
            case Backdrop.Named named -> named.name();
            case Backdrop.Photo photo -> photo.file();
            case Backdrop.Plain _ -> "plain";
        };
    }

    private static String icon(Poses poses, String verb) {
        return Objects.requireNonNull(poses.poses().get(verb));
    }
}
