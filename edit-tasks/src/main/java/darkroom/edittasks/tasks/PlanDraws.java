package darkroom.edittasks.tasks;

import darkroom.edittasks.tasks.Catalogue.Colour;
import darkroom.edittasks.tasks.Catalogue.Thing;
import darkroom.edittasks.tasks.Scene.Placed;
import java.util.List;
import java.util.function.Predicate;
import java.util.function.Supplier;

/**
 * The draws of one plan: what its scenes are made of. The order of the calls is part of a row, since each takes the next
 * numbers of the same sequence.
 */
record PlanDraws(Draws draws, Pool pool) {
    /** Maximum number of consecutive draws of one thing that may not fit. */
    static final int DRAWS_MAX = 10_000;

    int below(int bound) {
        return draws.below(bound);
    }

    /** Draws a boolean that is true in one of two cases. */
    boolean half() {
        return draws.below(2) == 0;
    }

    /** Draws a boolean that is true in two of three cases. */
    boolean twoOfThree() {
        return draws.below(3) > 0;
    }

    int between(int low, int high) {
        return draws.between(low, high);
    }

    /** Draws a number that differs from {@code middle} by at most {@code by}. */
    int near(int middle, int by) {
        return middle + draws.between(-by, by);
    }

    /** Draws the lower edge of an object in the foreground. */
    int floor() {
        return Layout.FLOOR + draws.between(-2, 1);
    }

    String one(String... of) {
        return draws.one(of);
    }

    <T> T one(List<T> of) {
        return draws.one(of);
    }

    /** Draws an element that equals none of {@code not}. */
    <T> T other(List<T> of, Object... not) {
        return draws.other(of, not);
    }

    /** Draws the name of a treatment of the whole picture that equals none of {@code not}. */
    String otherLook(String... not) {
        return draws.other(Look.NAMES, (Object[]) not);
    }

    /** Draws an object that is alone in its scene. */
    Placed alone(String icon) {
        return new Placed(icon, near(Layout.MIDDLE, 3), floor(), draws.between(18, 22));
    }

    /** Draws an object on one side of a pair. */
    Placed onSide(String icon, boolean left) {
        return new Placed(icon, near(Layout.side(left), 1), floor(), draws.between(14, 16));
    }

    /** Draws a scene with an object, alone or beside another one. */
    Scene oneOrTwo(Backdrop backdrop, Thing thing) {
        Scene one = new Scene(backdrop, List.of(alone(thing.icon())));
        if (!half()) {
            return one;
        }
        boolean left = half();
        return new Scene(
                backdrop,
                List.of(onSide(thing.icon(), left), onSide(beside(thing).icon(), !left)));
    }

    /** Draws an object that an edit is about. */
    Thing subject() {
        return draws.one(pool.subjects());
    }

    /** Draws an object that may appear beside others, and is none of them. */
    Thing beside(Thing... others) {
        return draws.other(pool.known(), (Object[]) others);
    }

    /** Draws a backdrop of a source. */
    Backdrop scene() {
        return pool.scene(draws);
    }

    Backdrop sceneOtherThan(String backdrop) {
        Backdrop not = new Backdrop.Named(backdrop);
        return fitting("scene other than " + backdrop, this::scene, scene -> !scene.equals(not));
    }

    /** Draws the name of a backdrop that the edit may ask for. */
    String target() {
        return draws.one(pool.targets());
    }

    String otherTarget(String... not) {
        return draws.other(Backdrop.NAMES, (Object[]) not);
    }

    /** Draws a subject that can be coloured. */
    Thing colourful() {
        return fitting("thing that can be coloured among " + pool.subjects(), this::subject, thing -> thing.hue() >= 0);
    }

    Colour colourFor(Thing thing) {
        return fitting(
                "colour for " + thing.say() + " among " + Catalogue.COLOURS,
                () -> draws.one(Catalogue.COLOURS),
                thing::canBecome);
    }

    String otherColour(Thing thing, String not) {
        return fitting(
                "colour for " + thing.say() + " other than " + not,
                () -> colourFor(thing).say(),
                colour -> !colour.equals(not));
    }

    /**
     * Returns the first draw that fits: rejection sampling.
     *
     * @param what name of the draw, for the message
     * @throws IllegalStateException if none of {@link #DRAWS_MAX} draws fits: the catalogue lacks it
     */
    private static <T> T fitting(String what, Supplier<T> draw, Predicate<T> fits) {
        for (int i = 0; i < DRAWS_MAX; i++) {
            T candidate = draw.get();
            if (fits.test(candidate)) {
                return candidate;
            }
        }
        throw new IllegalStateException("no %s in %d draws; the catalogue must hold one".formatted(what, DRAWS_MAX));
    }
}
