package darkroom.edittasks.tasks;

import darkroom.edittasks.tasks.Catalogue.Colour;
import darkroom.edittasks.tasks.Catalogue.Thing;
import darkroom.edittasks.tasks.Scene.Placed;
import java.util.List;

/**
 * Asks for two edits in one instruction: removal and addition, or a replacement or a colour together with another background.
 * Each wrong result lacks one of the two.
 */
record HybridTemplate() implements TaskTemplate {
    private static final int CASES = 3;
    private static final int REMOVE_AND_ADD = 0;
    private static final int REPLACE_AND_BACKGROUND = 1;
    private static final int COLOUR_AND_BACKGROUND = 2;

    /** The objects of an edit, drawn before it is known which of them it needs. */
    private record Drawn(Thing subject, Thing other, Thing bystander, boolean left) {}

    @Override
    public Plan draw(PlanDraws draws) {
        int which = draws.below(CASES);
        Thing subject = which == COLOUR_AND_BACKGROUND ? draws.colourful() : draws.subject();
        Thing other = draws.beside(subject);
        Drawn drawn = new Drawn(subject, other, draws.beside(subject, other), draws.half());
        Backdrop before = draws.scene();
        if (which == REMOVE_AND_ADD) {
            return removeAndAdd(drawn, before, draws);
        }
        String fresh = draws.target();
        if (before.equals(new Backdrop.Named(fresh))) {
            before = draws.sceneOtherThan(fresh);
        }
        String tail =
                draws.one(" and change the background to ", " and set the background to ") + Wording.backdrop(fresh);
        return which == REPLACE_AND_BACKGROUND
                ? replaceAndBackground(drawn, before, fresh, tail, draws)
                : colourAndBackground(subject, before, fresh, tail, draws);
    }

    private static Plan removeAndAdd(Drawn drawn, Backdrop before, PlanDraws draws) {
        Thing other = drawn.other();
        Place place = Place.side(drawn.left());
        Placed added = place.put(drawn.subject().icon());
        Scene source = new Scene(
                before,
                List.of(
                        draws.onSide(other.icon(), !drawn.left()),
                        Place.TOP.put(drawn.bystander().icon())));
        Scene gone = source.without(0);
        String what = Wording.indefinite(drawn.subject().say());
        return new Plan(
                new Combination(TaskType.HYBRID, drawn.subject().say()),
                new Plan.Request(
                        "remove the " + other.say() + " and add " + what + " " + place.phrase(),
                        "The " + other.say() + " must be gone, and " + what + " must appear " + place.phrase()
                                + ". Everything else must stay as it was."),
                source,
                gone.with(added),
                new Plan.WrongTargets(gone, source.with(added)));
    }

    private static Plan replaceAndBackground(Drawn drawn, Backdrop before, String fresh, String tail, PlanDraws draws) {
        Thing other = drawn.other();
        Thing subject = drawn.subject();
        Thing bystander = drawn.bystander();
        Backdrop after = new Backdrop.Named(fresh);
        Scene source = new Scene(
                before,
                List.of(draws.onSide(other.icon(), drawn.left()), draws.onSide(bystander.icon(), !drawn.left())));
        Scene replaced = source.change(0, p -> p.icon(subject.icon()));
        String what = Wording.indefinite(subject.say());
        return new Plan(
                new Combination(TaskType.HYBRID, subject.say(), fresh, Backdrop.NAMES.indexOf(fresh)),
                new Plan.Request(
                        "replace the " + other.say() + " with " + what + tail,
                        "The " + other.say() + " must have become " + what + ", and the background "
                                + Wording.backdrop(fresh) + ". The " + bystander.say() + " must stay as it was."),
                source,
                replaced.backdrop(after),
                new Plan.WrongTargets(replaced, source.backdrop(after)));
    }

    private static Plan colourAndBackground(
            Thing subject, Backdrop before, String fresh, String tail, PlanDraws draws) {
        Backdrop after = new Backdrop.Named(fresh);
        Colour colour = draws.colourFor(subject);
        Scene source = new Scene(before, List.of(draws.alone(subject.icon())));
        Scene tinted = source.change(0, p -> p.tint(colour.say()));
        return new Plan(
                new Combination(TaskType.HYBRID, subject.say(), colour.say(), Catalogue.COLOURS.indexOf(colour)),
                new Plan.Request(
                        "make the " + subject.say() + " " + colour.say() + tail,
                        "The " + subject.say() + " must become " + colour.say()
                                + " and keep its shape, and the background must become " + Wording.backdrop(fresh)
                                + "."),
                source,
                tinted.backdrop(after),
                new Plan.WrongTargets(tinted, source.backdrop(after)));
    }
}
