package darkroom.edittasks.tasks;

import darkroom.edittasks.tasks.Catalogue.Colour;
import darkroom.edittasks.tasks.Catalogue.Thing;
import darkroom.edittasks.tasks.Scene.Placed;
import java.util.List;

/** Removes, replaces or colours the object in a red box, which the instruction does not name. */
record RedBoxTemplate() implements TaskTemplate {
    private static final int CASES = 3;
    private static final int REMOVE = 0;
    private static final int REPLACE = 1;
    private static final int COLOUR = 2;

    /** Lower edge of the object in the box: the box around it is inside the picture. */
    private static final int BOXED_BOTTOM = 27;

    private static final String REST = " The red box itself must be gone. Everything else must stay as it was.";

    @Override
    public Plan draw(PlanDraws draws) {
        int which = draws.below(CASES);
        Thing boxed = which == COLOUR ? draws.colourful() : draws.subject();
        Thing other = draws.beside(boxed);
        Thing fresh = draws.beside(boxed, other);
        Thing third = draws.beside(boxed, other, fresh);
        boolean left = draws.half();
        Placed inside =
                new Placed(boxed.icon(), Layout.side(left), BOXED_BOTTOM + draws.between(-2, 1), draws.between(13, 14));
        Scene clean = new Scene(draws.scene(), List.of(inside, draws.onSide(other.icon(), !left)));
        return switch (which) {
            case REMOVE -> remove(boxed, clean, draws);
            case REPLACE -> replace(boxed, fresh, third, clean, draws);
            default -> colour(boxed, clean, draws);
        };
    }

    private static Plan remove(Thing boxed, Scene clean, PlanDraws draws) {
        return new Plan(
                new Combination(TaskType.RED_BOX, boxed.say()),
                new Plan.Request(
                        draws.one("remove what is in the red box", "delete the object in the red box"),
                        "The object that was in the red box must be gone and the background filled in." + REST),
                clean.boxed(0),
                clean.without(0),
                new Plan.WrongTargets(clean.without(1), clean));
    }

    private static Plan replace(Thing subject, Thing old, Thing third, Scene clean, PlanDraws draws) {
        Scene before = clean.change(0, p -> p.icon(old.icon()));
        String what = Wording.indefinite(subject.say());
        return new Plan(
                new Combination(TaskType.RED_BOX, subject.say(), "replacement", -1),
                new Plan.Request(
                        draws.one("replace what is in the red box with ", "replace the object in the red box with ")
                                + what,
                        "The object in the red box must have become " + what + " of the same size." + REST),
                before.boxed(0),
                clean,
                new Plan.WrongTargets(
                        clean.change(0, p -> p.icon(third.icon())), before.change(1, p -> p.icon(subject.icon()))));
    }

    private static Plan colour(Thing boxed, Scene clean, PlanDraws draws) {
        Colour colour = draws.colourFor(boxed);
        String wrong = draws.otherColour(boxed, colour.say());
        return new Plan(
                new Combination(TaskType.RED_BOX, boxed.say(), colour.say(), Catalogue.COLOURS.indexOf(colour)),
                new Plan.Request(
                        draws.one("make what is in the red box ", "make the object in the red box ") + colour.say(),
                        "The object in the red box must become " + colour.say() + " and keep its shape." + REST),
                clean.boxed(0),
                clean.change(0, p -> p.tint(colour.say())),
                new Plan.WrongTargets(clean.change(0, p -> p.tint(wrong)), clean));
    }
}
