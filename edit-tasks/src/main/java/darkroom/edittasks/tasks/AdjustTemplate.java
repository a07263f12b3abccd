package darkroom.edittasks.tasks;

import darkroom.edittasks.tasks.Catalogue.Colour;
import darkroom.edittasks.tasks.Catalogue.Thing;
import darkroom.edittasks.tasks.Scene.Placed;
import java.util.List;
import java.util.function.UnaryOperator;

/** Changes one object: its colour in six of ten cases, its brightness in two, its size in two. */
record AdjustTemplate() implements TaskTemplate {
    private static final int CASES = 10;
    private static final int COLOUR_BELOW = 6;
    private static final int BRIGHTNESS_BELOW = 8;
    private static final int DARKER = 6;
    private static final int BIGGER = 8;
    private static final double GROWTH = 1.4;
    private static final double SHRINKAGE = .7;

    /** Lower edge of an object whose size changes about its middle. */
    private static final int RESIZED_BOTTOM = 25;

    /**
     * A change of the object that instructions can ask for.
     *
     * @param slot of the attribute, -1 where attributes are not held out
     */
    private record Change(String attribute, int slot, String word, UnaryOperator<Placed> apply) {
        static Change to(Colour colour) {
            return new Change(
                    colour.say(), Catalogue.COLOURS.indexOf(colour), colour.say(), placed -> placed.tint(colour.say()));
        }

        /** A change to a tint that only a wrong result shows, or that is held out in no split. */
        static Change tint(String word) {
            return new Change("", -1, word, placed -> placed.tint(word));
        }

        static Change size(boolean bigger) {
            return new Change(
                    "", -1, bigger ? "bigger" : "smaller", placed -> placed.scale(bigger ? GROWTH : SHRINKAGE));
        }
    }

    @Override
    public Plan draw(PlanDraws draws) {
        int which = draws.below(CASES);
        Thing thing = which < COLOUR_BELOW ? draws.colourful() : draws.subject();
        String verb = draws.one("make", "turn");
        boolean two = which < BRIGHTNESS_BELOW && draws.half();
        Thing other = draws.beside(thing);
        Change change;
        Change instead;
        Placed placed;
        if (which < COLOUR_BELOW) {
            Colour colour = draws.colourFor(thing);
            change = Change.to(colour);
            instead = Change.tint(draws.otherColour(thing, colour.say()));
            verb = draws.one("make", "turn", "paint");
            placed = placed(draws, thing, two);
        } else if (which < BRIGHTNESS_BELOW) {
            boolean darker = which == DARKER;
            change = Change.tint(darker ? "darker" : "brighter");
            instead = Change.tint(darker ? "brighter" : "darker");
            placed = placed(draws, thing, two);
        } else {
            boolean bigger = which == BIGGER;
            verb = "make";
            change = Change.size(bigger);
            instead = Change.size(!bigger);
            placed = new Placed(
                    thing.icon(), draws.near(Layout.MIDDLE, 2), draws.near(RESIZED_BOTTOM, 1), draws.between(16, 18));
        }
        Scene source = new Scene(draws.scene(), List.of(placed));
        if (two) {
            source = source.with(draws.onSide(other.icon(), placed.centre() > Layout.MIDDLE));
        }
        return new Plan(
                new Combination(TaskType.ADJUST, thing.say(), change.attribute(), change.slot()),
                new Plan.Request(
                        verb + " the " + thing.say() + " " + change.word(),
                        "The " + thing.say() + " must become " + change.word()
                                + " and keep its shape and place. Everything else must stay as it was."),
                source,
                source.change(0, change.apply()),
                new Plan.WrongTargets(
                        source.change(0, instead.apply()),
                        two
                                ? source.change(
                                        1, p -> p.tint(change.attribute().isEmpty() ? change.word() : "darker"))
                                : source.change(0, p -> p.icon(other.icon()))));
    }

    private static Placed placed(PlanDraws draws, Thing thing, boolean two) {
        return two ? draws.onSide(thing.icon(), draws.half()) : draws.alone(thing.icon());
    }
}
