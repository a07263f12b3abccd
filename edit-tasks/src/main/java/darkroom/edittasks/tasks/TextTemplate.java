package darkroom.edittasks.tasks;

import java.util.List;

/** Changes the word on a sign. */
record TextTemplate() implements TaskTemplate {
    @Override
    public Plan draw(PlanDraws draws) {
        String fresh = draws.one(draws.pool().words());
        String old = draws.other(Catalogue.WORDS, fresh);
        String wrong = draws.other(Catalogue.WORDS, fresh, old);
        String otherWrong = draws.other(Catalogue.WORDS, fresh, old, wrong);
        Scene source = new Scene(draws.scene(), List.of()).sign(old);
        return new Plan(
                new Combination(TaskType.TEXT, fresh),
                new Plan.Request(
                        draws.one(
                                        "change the sign to ",
                                        "make the sign say ",
                                        "change the text to ",
                                        "change " + old + " to ")
                                + fresh,
                        "The sign must say " + fresh
                                + ", every letter of it and no other. Everything else must stay as it was."),
                source,
                source.sign(fresh),
                new Plan.WrongTargets(source.sign(wrong), source.sign(otherWrong)));
    }
}
