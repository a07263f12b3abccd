package darkroom.edittasks.tasks;

import darkroom.edittasks.tasks.Catalogue.Thing;
import java.util.List;

/** Replaces an object by another one of its size; another object stands beside it in two of three cases. */
record ReplaceTemplate() implements TaskTemplate {
    @Override
    public Plan draw(PlanDraws draws) {
        Thing fresh = draws.subject();
        Thing old = draws.beside(fresh);
        Thing bystander = draws.beside(fresh, old);
        Thing third = draws.beside(fresh, old, bystander);
        boolean two = draws.twoOfThree();
        boolean left = draws.half();
        Scene source =
                new Scene(draws.scene(), List.of(two ? draws.onSide(old.icon(), left) : draws.alone(old.icon())));
        if (two) {
            source = source.with(draws.onSide(bystander.icon(), !left));
        }
        String what = Wording.indefinite(fresh.say());
        return new Plan(
                new Combination(TaskType.REPLACE, fresh.say()),
                new Plan.Request(
                        draws.one(
                                "replace the " + old.say() + " with " + what,
                                "swap the " + old.say() + " for " + what,
                                "exchange the " + old.say() + " for " + what),
                        "The " + old.say() + " must be gone and " + what
                                + " of the same size must stand in its place. Everything else must stay as it was."),
                source,
                source.change(0, p -> p.icon(fresh.icon())),
                new Plan.WrongTargets(
                        source.change(0, p -> p.icon(third.icon())),
                        two ? source.change(1, p -> p.icon(fresh.icon())) : source.without(0)));
    }
}
