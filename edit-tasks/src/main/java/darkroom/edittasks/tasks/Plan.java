package darkroom.edittasks.tasks;

import darkroom.edittasks.tasks.Catalogue.Colour;
import darkroom.edittasks.tasks.Catalogue.Poses;
import darkroom.edittasks.tasks.Catalogue.Thing;
import darkroom.edittasks.tasks.Scene.Placed;
import java.util.List;
import java.util.function.Predicate;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * An edit before it is drawn. The place and size of a new object follow from the instruction and the source alone, so that
 * only one result is right.
 */
record Plan(
        Combination combination,
        String instruction,
        String requirement,
        Scene source,
        Scene target,
        Scene wrong,
        Scene otherWrong,
        @Nullable Scene reference) {

    private static final double LEFT = 8;
    private static final double RIGHT = 24;
    private static final double FLOOR = 28;
    private static final double PAIR_SIDE = 15;
    private static final double ALONE_SIDE = 20;

    static Plan draw(TaskType type, Draws draws, Pool pool) {
        Drawing drawing = new Drawing(draws, pool);
        return switch (type) {
            case ADD -> drawing.add();
            case ADJUST -> drawing.adjust();
            case REPLACE -> drawing.replace();
            case REMOVE -> drawing.remove();
            case BACKGROUND -> drawing.background();
            case STYLE -> drawing.style();
            case EXTRACT -> drawing.extract();
            case HYBRID -> drawing.hybrid();
            case ACTION -> drawing.action();
            case TEXT -> drawing.text();
            case RED_BOX -> drawing.redBox();
            case REFERENCE -> drawing.reference();
        };
    }

    /** Place of a new object. */
    private enum Place {
        LEFT("on the left"),
        RIGHT("on the right"),
        TOP("at the top"),
        CENTER("in the center");

        private final String phrase;

        Place(String phrase) {
            this.phrase = phrase;
        }

        Placed put(String icon) {
            return switch (this) {
                case LEFT -> new Placed(icon, Plan.LEFT, FLOOR, PAIR_SIDE);
                case RIGHT -> new Placed(icon, Plan.RIGHT, FLOOR, PAIR_SIDE);
                case TOP -> new Placed(icon, 16, 14, 13);
                case CENTER -> new Placed(icon, 16, FLOOR, ALONE_SIDE);
            };
        }
    }

    /** A change of one object that instructions can ask for. */
    private record Change(String attribute, int slot, String word, UnaryOperator<Placed> apply) {}

    record Drawing(Draws draws, Pool pool) {
        /** Maximum number of consecutive draws of one thing that may not fit. */
        static final int DRAWS_MAX = 10_000;

        Placed alone(String icon) {
            return new Placed(icon, 16 + draws.between(-3, 3), FLOOR + draws.between(-2, 1), draws.between(18, 22));
        }

        Placed onSide(String icon, boolean left) {
            return new Placed(
                    icon,
                    (left ? LEFT : RIGHT) + draws.between(-1, 1),
                    FLOOR + draws.between(-2, 1),
                    draws.between(14, 16));
        }

        Thing subject() {
            return draws.one(pool.subjects());
        }

        Thing beside(Thing... not) {
            return draws.other(pool.known(), (Object[]) not);
        }

        Colour colourFor(Thing thing) {
            return drawn(
                    "colour for " + thing.say() + " among " + Catalogue.COLOURS,
                    () -> draws.one(Catalogue.COLOURS),
                    thing::canBecome);
        }

        String otherColour(Thing thing, String not) {
            return drawn(
                    "colour for " + thing.say() + " other than " + not,
                    () -> colourFor(thing).say(),
                    colour -> !colour.equals(not));
        }

        Thing colourful() {
            return drawn(
                    "thing that can be coloured among " + pool.subjects(), this::subject, thing -> thing.hue() >= 0);
        }

        Backdrop sceneOtherThan(String backdrop) {
            Backdrop not = new Backdrop.Named(backdrop);
            return drawn("scene other than " + backdrop, () -> pool.scene(draws), scene -> !scene.equals(not));
        }

        /**
         * Returns the first draw that fits.
         *
         * @param what name of the draw, for the message
         * @throws IllegalStateException if none of {@link #DRAWS_MAX} draws fits: the catalogue lacks it
         */
        private static <T> T drawn(String what, Supplier<T> draw, Predicate<T> fits) {
            for (int i = 0; i < DRAWS_MAX; i++) {
                T candidate = draw.get();
                if (fits.test(candidate)) {
                    return candidate;
                }
            }
            throw new IllegalStateException(
                    "no %s in %d draws; the catalogue must hold one".formatted(what, DRAWS_MAX));
        }

        String otherTarget(String... not) {
            return draws.other(Backdrop.NAMES, (Object[]) not);
        }

        Plan add() {
            Thing added = subject();
            Thing other = beside(added);
            Thing third = beside(added, other);
            Combination asked = new Combination(TaskType.ADD, added.say());
            Backdrop backdrop = pool.scene(draws);
            int kind = draws.below(8);
            Place place;
            Place elsewhere;
            Scene source;
            if (kind < 6) {
                boolean left = draws.below(2) == 0;
                place = left ? Place.LEFT : Place.RIGHT;
                elsewhere = Place.TOP;
                source = new Scene(backdrop, List.of(onSide(other.icon(), !left)));
            } else if (kind == 6) {
                place = Place.TOP;
                elsewhere = draws.one(Place.LEFT, Place.RIGHT);
                source = new Scene(
                        backdrop,
                        List.of(new Placed(other.icon(), 16 + draws.between(-2, 2), 30, draws.between(14, 15))));
            } else {
                place = Place.CENTER;
                elsewhere = draws.one(Place.LEFT, Place.RIGHT);
                source = new Scene(backdrop, List.of());
            }
            String what = with(added.say());
            String say = draws.one(
                    "add " + what + " " + place.phrase,
                    "put " + what + " " + place.phrase,
                    "place " + what + " " + place.phrase,
                    "draw " + what + " " + place.phrase);
            return new Plan(
                    asked,
                    say,
                    "Exactly one new object, " + what + ", must appear " + place.phrase
                            + ". Everything else must stay as it was.",
                    source,
                    source.with(place.put(added.icon())),
                    source.with(place.put(third.icon())),
                    source.with(elsewhere.put(added.icon())),
                    null);
        }

        Plan adjust() {
            int kind = draws.below(10);
            Thing thing = kind < 6 ? colourful() : subject();
            String verb = draws.one("make", "turn");
            boolean two = kind < 8 && draws.below(2) == 0;
            Thing other = beside(thing);
            Change change;
            Change instead;
            Placed placed;
            if (kind < 6) {
                Colour colour = colourFor(thing);
                String otherColour = otherColour(thing, colour.say());
                verb = draws.one("make", "turn", "paint");
                change = new Change(
                        colour.say(), Catalogue.COLOURS.indexOf(colour), colour.say(), p -> p.tint(colour.say()));
                instead = new Change(otherColour, -1, otherColour, p -> p.tint(otherColour));
                placed = two ? onSide(thing.icon(), draws.below(2) == 0) : alone(thing.icon());
            } else if (kind < 8) {
                boolean dark = kind == 6;
                change = new Change("", -1, dark ? "darker" : "brighter", p -> p.tint(dark ? "darker" : "brighter"));
                instead = new Change("", -1, dark ? "brighter" : "darker", p -> p.tint(dark ? "brighter" : "darker"));
                placed = two ? onSide(thing.icon(), draws.below(2) == 0) : alone(thing.icon());
            } else {
                boolean big = kind == 8;
                verb = "make";
                change = new Change("", -1, big ? "bigger" : "smaller", p -> p.scale(big ? 1.4 : .7));
                instead = new Change("", -1, big ? "smaller" : "bigger", p -> p.scale(big ? .7 : 1.4));
                placed = new Placed(
                        thing.icon(), 16 + draws.between(-2, 2), 25 + draws.between(-1, 1), draws.between(16, 18));
            }
            Scene source = new Scene(pool.scene(draws), List.of(placed));
            if (two) {
                source = source.with(onSide(other.icon(), placed.centre() > 16));
            }
            Combination asked = new Combination(TaskType.ADJUST, thing.say(), change.attribute(), change.slot());
            return new Plan(
                    asked,
                    verb + " the " + thing.say() + " " + change.word(),
                    "The " + thing.say() + " must become " + change.word()
                            + " and keep its shape and place. Everything else must stay as it was.",
                    source,
                    source.change(0, change.apply()),
                    source.change(0, instead.apply()),
                    two
                            ? source.change(1, p -> p.tint(change.attribute().isEmpty() ? change.word() : "darker"))
                            : source.change(0, p -> p.icon(other.icon())),
                    null);
        }

        Plan replace() {
            Thing fresh = subject();
            Thing old = beside(fresh);
            Thing bystander = beside(fresh, old);
            Thing third = beside(fresh, old, bystander);
            boolean two = draws.below(3) > 0;
            boolean left = draws.below(2) == 0;
            Scene source = new Scene(pool.scene(draws), List.of(two ? onSide(old.icon(), left) : alone(old.icon())));
            if (two) {
                source = source.with(onSide(bystander.icon(), !left));
            }
            return new Plan(
                    new Combination(TaskType.REPLACE, fresh.say()),
                    draws.one(
                            "replace the " + old.say() + " with " + with(fresh.say()),
                            "swap the " + old.say() + " for " + with(fresh.say()),
                            "exchange the " + old.say() + " for " + with(fresh.say())),
                    "The " + old.say() + " must be gone and " + with(fresh.say())
                            + " of the same size must stand in its place. Everything else must stay as it was.",
                    source,
                    source.change(0, p -> p.icon(fresh.icon())),
                    source.change(0, p -> p.icon(third.icon())),
                    two ? source.change(1, p -> p.icon(fresh.icon())) : source.without(0),
                    null);
        }

        Plan remove() {
            Thing gone = subject();
            Thing stays = beside(gone);
            Thing third = beside(gone, stays);
            boolean left = draws.below(2) == 0;
            Scene source =
                    new Scene(pool.scene(draws), List.of(onSide(gone.icon(), left), onSide(stays.icon(), !left)));
            return new Plan(
                    new Combination(TaskType.REMOVE, gone.say()),
                    draws.one("remove", "delete", "erase", "take away") + " the " + gone.say(),
                    "The " + gone.say() + " must be gone and the background behind it filled in. Everything else, the "
                            + stays.say() + " too, must stay as it was.",
                    source,
                    source.without(0),
                    source.without(1),
                    source.change(0, p -> p.icon(third.icon())),
                    null);
        }

        Plan background() {
            Thing thing = subject();
            String fresh = draws.one(pool.targets());
            String wrong = otherTarget(fresh);
            String otherWrong = otherTarget(fresh, wrong);
            Backdrop before = sceneOtherThan(fresh);
            Scene source = new Scene(before, List.of(alone(thing.icon())));
            if (draws.below(2) == 0) {
                boolean left = draws.below(2) == 0;
                source = new Scene(
                        before,
                        List.of(onSide(thing.icon(), left), onSide(beside(thing).icon(), !left)));
            }
            return new Plan(
                    new Combination(TaskType.BACKGROUND, thing.say(), fresh, Backdrop.NAMES.indexOf(fresh)),
                    draws.one(
                            "change the background to " + scene(fresh),
                            "set the background to " + scene(fresh),
                            "make the background " + scene(fresh)),
                    "The background must become " + scene(fresh)
                            + ". The objects in front must keep their shape, colour and place.",
                    source,
                    source.backdrop(new Backdrop.Named(fresh)),
                    source.backdrop(new Backdrop.Named(wrong)),
                    source.backdrop(new Backdrop.Named(otherWrong)),
                    null);
        }

        Plan style() {
            Thing thing = subject();
            boolean redrawn = draws.below(2) == 0;
            Backdrop backdrop = redrawn ? Backdrop.Plain.WHITE : pool.scene(draws);
            Scene source = new Scene(backdrop, List.of(alone(thing.icon())));
            if (draws.below(2) == 0) {
                boolean left = draws.below(2) == 0;
                source = new Scene(
                        backdrop,
                        List.of(onSide(thing.icon(), left), onSide(beside(thing).icon(), !left)));
            }
            String style = redrawn ? draws.one("ink", "ink", "flat") : draws.one(Look.NAMES);
            String wrong = redrawn && draws.below(2) == 0
                    ? (style.equals("ink") ? "flat" : "ink")
                    : draws.other(Look.NAMES, style);
            String otherWrong = draws.other(Look.NAMES, style, wrong);
            String phrase =
                    switch (style) {
                        case "ink" -> draws.one("a black ink drawing", "an ink drawing");
                        case "flat" -> "flat art";
                        case "gray" -> draws.one("a gray picture", "a black and white photo");
                        case "negative" -> "a negative";
                        case "poster" -> "a poster";
                        case "blurred" -> "a blurred picture";
                        case "sepia" -> "a sepia photo";
                        default -> style;
                    };
            return new Plan(
                    new Combination(TaskType.STYLE, thing.say(), style, -1),
                    draws.one(
                            "redraw it as " + phrase, "make it look like " + phrase, "turn the picture into " + phrase),
                    "The whole picture must look like " + phrase + ". What it shows must stay the same.",
                    source,
                    styled(source, style),
                    styled(source, wrong),
                    styled(source, otherWrong),
                    null);
        }

        private static Scene styled(Scene scene, String style) {
            return switch (style) {
                case "ink" -> scene.each(p -> p.set(Art.INK));
                case "flat" -> scene.each(p -> p.set(Art.FLAT));
                default -> scene.look(style);
            };
        }

        Plan extract() {
            Thing kept = subject();
            Thing other = beside(kept);
            boolean two = draws.below(3) > 0;
            boolean left = draws.below(2) == 0;
            Scene source = new Scene(pool.scene(draws), List.of(two ? onSide(kept.icon(), left) : alone(kept.icon())));
            if (two) {
                source = source.with(onSide(other.icon(), !left));
            }
            Scene white = source.backdrop(Backdrop.Plain.WHITE);
            return new Plan(
                    new Combination(TaskType.EXTRACT, kept.say()),
                    draws.one("extract the ", "cut out the ", "isolate the ") + kept.say(),
                    "Only the " + kept.say() + " must be left, unchanged and in its place, on plain white.",
                    source,
                    two ? white.without(1) : white,
                    two ? white.without(0) : white.change(0, p -> p.icon(other.icon())),
                    two ? white : source.backdrop(new Backdrop.Named(otherTarget(backdropName(source)))),
                    null);
        }

        private static String backdropName(Scene scene) {
            return scene.backdrop() instanceof Backdrop.Named named ? named.name() : "";
        }

        Plan hybrid() {
            int kind = draws.below(3);
            Thing subject = kind == 2 ? colourful() : subject();
            Thing other = beside(subject);
            Thing bystander = beside(subject, other);
            boolean left = draws.below(2) == 0;
            Backdrop before = pool.scene(draws);
            if (kind == 0) {
                Place place = left ? Place.LEFT : Place.RIGHT;
                Scene source = new Scene(
                        before, List.of(onSide(other.icon(), !left), new Placed(bystander.icon(), 16, 14, 13)));
                Scene gone = source.without(0);
                return new Plan(
                        new Combination(TaskType.HYBRID, subject.say()),
                        "remove the " + other.say() + " and add " + with(subject.say()) + " " + place.phrase,
                        "The " + other.say() + " must be gone, and " + with(subject.say()) + " must appear "
                                + place.phrase + ". Everything else must stay as it was.",
                        source,
                        gone.with(place.put(subject.icon())),
                        gone,
                        source.with(place.put(subject.icon())),
                        null);
            }
            String fresh = draws.one(pool.targets());
            if (before.equals(new Backdrop.Named(fresh))) {
                before = sceneOtherThan(fresh);
            }
            Backdrop after = new Backdrop.Named(fresh);
            String tail = draws.one(" and change the background to ", " and set the background to ") + scene(fresh);
            if (kind == 1) {
                Scene source = new Scene(before, List.of(onSide(other.icon(), left), onSide(bystander.icon(), !left)));
                Scene swapped = source.change(0, p -> p.icon(subject.icon()));
                return new Plan(
                        new Combination(TaskType.HYBRID, subject.say(), fresh, Backdrop.NAMES.indexOf(fresh)),
                        "replace the " + other.say() + " with " + with(subject.say()) + tail,
                        "The " + other.say() + " must have become " + with(subject.say()) + ", and the background "
                                + scene(fresh) + ". The " + bystander.say() + " must stay as it was.",
                        source,
                        swapped.backdrop(after),
                        swapped,
                        source.backdrop(after),
                        null);
            }
            Colour colour = colourFor(subject);
            Scene source = new Scene(before, List.of(alone(subject.icon())));
            Scene tinted = source.change(0, p -> p.tint(colour.say()));
            return new Plan(
                    new Combination(TaskType.HYBRID, subject.say(), colour.say(), Catalogue.COLOURS.indexOf(colour)),
                    "make the " + subject.say() + " " + colour.say() + tail,
                    "The " + subject.say() + " must become " + colour.say()
                            + " and keep its shape, and the background must become " + scene(fresh) + ".",
                    source,
                    tinted.backdrop(after),
                    tinted,
                    source.backdrop(after),
                    null);
        }

        Plan action() {
            if (draws.below(2) == 0) {
                return pose();
            }
            Thing thing = subject();
            Thing other = beside(thing);
            int kind = draws.below(4);
            Combination asked =
                    new Combination(TaskType.ACTION, thing.say(), kind < 2 ? "move" : kind == 2 ? "flip" : "turn", -1);
            Backdrop backdrop = pool.scene(draws);
            if (kind < 2) {
                boolean left = kind == 0;
                Placed placed =
                        new Placed(thing.icon(), left ? 22 : 10, FLOOR + draws.between(-2, 1), draws.between(15, 18));
                Scene source = new Scene(backdrop, List.of(placed));
                String side = left ? "left" : "right";
                return new Plan(
                        asked,
                        draws.one("move", "shift") + " the " + thing.say() + " to the " + side,
                        "The " + thing.say() + " must stand on the " + side
                                + ", of the same size and colour, and no longer where it was. The background must stay"
                                + " as it was.",
                        source,
                        source.change(0, p -> p.centre(left ? 10 : 22)),
                        source.with(placed.centre(left ? 10 : 22)),
                        source.change(0, p -> p.centre(left ? 10 : 22).icon(other.icon())),
                        null);
            }
            Scene source = new Scene(backdrop, List.of(alone(thing.icon())));
            boolean flip = kind == 2;
            return new Plan(
                    asked,
                    flip
                            ? draws.one("flip the ", "mirror the ") + thing.say()
                            : "turn the " + thing.say() + " upside down",
                    "The " + thing.say() + " must be " + (flip ? "mirrored, left for right" : "upside down")
                            + ", in its place. The background must stay as it was.",
                    source,
                    source.change(0, flip ? Placed::mirror : Placed::invert),
                    source.change(
                            0, flip ? Placed::invert : p -> p.invert().mirror().icon(other.icon())),
                    source.change(0, p -> p.icon(other.icon())),
                    null);
        }

        private Plan pose() {
            Poses poses = draws.one(Catalogue.POSES);
            List<String> verbs = List.copyOf(poses.poses().keySet());
            List<String> reachable =
                    verbs.stream().filter(v -> !v.startsWith("-")).toList();
            String verb = draws.one(reachable);
            String from = draws.other(verbs, verb);
            String fresh = icon(poses, verb);
            Backdrop backdrop = pool.scene(draws);
            Scene source = new Scene(backdrop, List.of(alone(icon(poses, from))));
            String shape = verbs.size() > 2 ? icon(poses, draws.other(verbs, verb, from)) : "";
            Thing other = beside();
            String subject = poses.subject();
            String scene =
                    switch (backdrop) {
                        case Backdrop.Named named -> named.name();
                        case Backdrop.Photo photo -> photo.file();
                        case Backdrop.Plain _ -> "plain";
                    };
            boolean imperative = verb.equals("open") || verb.equals("close") || verb.equals("hatch");
            return new Plan(
                    new Combination(TaskType.ACTION, subject + ":" + verb + ":" + scene),
                    imperative ? verb + " the " + subject : "make the " + subject + " " + verb,
                    "The " + subject + " must now show this: " + verb + ". It must stay the same " + subject
                            + " in the same place. The background must stay as it was.",
                    source,
                    source.change(0, p -> p.icon(fresh)),
                    source.change(0, p -> shape.isEmpty() ? p.invert() : p.icon(shape)),
                    source.change(0, p -> p.icon(other.icon())),
                    null);
        }

        private static String icon(Poses poses, String verb) {
            return java.util.Objects.requireNonNull(poses.poses().get(verb));
        }

        Plan text() {
            String fresh = draws.one(pool.words());
            String old = draws.other(Catalogue.WORDS, fresh);
            String wrong = draws.other(Catalogue.WORDS, fresh, old);
            String otherWrong = draws.other(Catalogue.WORDS, fresh, old, wrong);
            Scene source = new Scene(pool.scene(draws), List.of()).sign(old);
            return new Plan(
                    new Combination(TaskType.TEXT, fresh),
                    draws.one(
                            "change the sign to " + fresh,
                            "make the sign say " + fresh,
                            "change the text to " + fresh,
                            "change " + old + " to " + fresh),
                    "The sign must say " + fresh
                            + ", every letter of it and no other. Everything else must stay as it was.",
                    source,
                    source.sign(fresh),
                    source.sign(wrong),
                    source.sign(otherWrong),
                    null);
        }

        Plan redBox() {
            int kind = draws.below(3);
            Thing boxed = kind == 2 ? colourful() : subject();
            Thing other = beside(boxed);
            Thing fresh = beside(boxed, other);
            Thing third = beside(boxed, other, fresh);
            boolean left = draws.below(2) == 0;
            Placed inside = new Placed(boxed.icon(), left ? 8 : 24, 27 + draws.between(-2, 1), draws.between(13, 14));
            Scene clean = new Scene(pool.scene(draws), List.of(inside, onSide(other.icon(), !left)));
            Scene source = clean.boxed(0);
            String rest = " The red box itself must be gone. Everything else must stay as it was.";
            return switch (kind) {
                case 0 ->
                    new Plan(
                            new Combination(TaskType.RED_BOX, boxed.say()),
                            draws.one("remove what is in the red box", "delete the object in the red box"),
                            "The object that was in the red box must be gone and the background filled in." + rest,
                            source,
                            clean.without(0),
                            clean.without(1),
                            clean,
                            null);
                case 1 -> {
                    Thing subject = boxed;
                    Scene before = clean.change(0, p -> p.icon(fresh.icon()));
                    yield new Plan(
                            new Combination(TaskType.RED_BOX, subject.say(), "replacement", -1),
                            draws.one("replace what is in the red box with ", "replace the object in the red box with ")
                                    + with(subject.say()),
                            "The object in the red box must have become " + with(subject.say()) + " of the same size."
                                    + rest,
                            before.boxed(0),
                            clean,
                            clean.change(0, p -> p.icon(third.icon())),
                            before.change(1, p -> p.icon(subject.icon())),
                            null);
                }
                default -> {
                    Colour colour = colourFor(boxed);
                    String wrong = otherColour(boxed, colour.say());
                    yield new Plan(
                            new Combination(
                                    TaskType.RED_BOX, boxed.say(), colour.say(), Catalogue.COLOURS.indexOf(colour)),
                            draws.one("make what is in the red box ", "make the object in the red box ") + colour.say(),
                            "The object in the red box must become " + colour.say() + " and keep its shape." + rest,
                            source,
                            clean.change(0, p -> p.tint(colour.say())),
                            clean.change(0, p -> p.tint(wrong)),
                            clean,
                            null);
                }
            };
        }

        Plan reference() {
            Thing added = subject();
            Thing other = beside(added);
            Thing third = beside(added, other);
            boolean left = draws.below(2) == 0;
            Place place = left ? Place.LEFT : Place.RIGHT;
            Scene source = new Scene(pool.scene(draws), List.of(onSide(other.icon(), !left)));
            return new Plan(
                    new Combination(TaskType.REFERENCE, added.say()),
                    draws.one("put the object of image 2 ", "add the object of the reference image ") + place.phrase,
                    "The object that the second input image shows must appear " + place.phrase
                            + ". Everything else must stay as it was.",
                    source,
                    source.with(place.put(added.icon())),
                    source.with(place.put(third.icon())),
                    source.with(Place.TOP.put(added.icon())),
                    new Scene(new Backdrop.Plain(200), List.of(new Placed(added.icon(), 16, 29, 26))));
        }

        private static String with(String noun) {
            return ("aeiou".indexOf(noun.charAt(0)) >= 0 && !noun.startsWith("u") ? "an " : "a ") + noun;
        }

        private static String scene(String name) {
            return switch (name) {
                case "snow", "night", "fog", "mountains" -> name;
                case "sea" -> "the sea";
                default -> with(name);
            };
        }
    }
}
