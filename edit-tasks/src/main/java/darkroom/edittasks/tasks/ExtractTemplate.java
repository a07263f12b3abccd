package darkroom.edittasks.tasks;

import darkroom.edittasks.tasks.Catalogue.Thing;
import java.util.List;

/** Leaves one object on plain white; another object stands beside it in two of three cases. */
record ExtractTemplate() implements TaskTemplate {
    @Override
    public Plan draw(PlanDraws draws) {
        Thing kept = draws.subject();
        Thing other = draws.beside(kept);
        boolean two = draws.twoOfThree();
        boolean left = draws.half();
        Scene source =
                new Scene(draws.scene(), List.of(two ? draws.onSide(kept.icon(), left) : draws.alone(kept.icon())));
        if (two) {
            source = source.with(draws.onSide(other.icon(), !left));
        }
        Scene white = source.backdrop(Backdrop.Plain.WHITE);
        return new Plan(
                new Combination(TaskType.EXTRACT, kept.say()),
                new Plan.Request(
                        draws.one("extract the ", "cut out the ", "isolate the ") + kept.say(),
                        "Only the " + kept.say() + " must be left, unchanged and in its place, on plain white."),
                source,
                two ? white.without(1) : white,
                new Plan.WrongTargets(
                        two ? white.without(0) : white.change(0, p -> p.icon(other.icon())),
                        two ? white : source.backdrop(new Backdrop.Named(draws.otherTarget(backdropName(source))))));
    }

    private static String backdropName(Scene scene) {
        return scene.backdrop() instanceof Backdrop.Named named ? named.name() : "";
    }
}
