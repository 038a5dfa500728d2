package org.hindmq.interop;

import java.util.Map;

import javax.jms.DeliveryMode;
import javax.jms.JMSException;
import javax.jms.JMSSecurityException;
import javax.jms.Message;
import javax.jms.MessageConsumer;
import javax.jms.MessageProducer;
import javax.jms.Queue;
import javax.jms.Session;
import javax.jms.TextMessage;

/** What the broker does by its settings: expiry, dead letters, duplicate ids, logins. */
final class PolicyFlows {
   /** The broker's default max-delivery-attempts, which the configurations keep. */
   private static final int ATTEMPTS = 10;

   private PolicyFlows() { }

   static void add(Map<String, Flow.Body> m) {
      m.put("expiry", PolicyFlows::expiry);
      m.put("dead-letter", PolicyFlows::deadLetter);
      m.put("duplicate-id", PolicyFlows::duplicateId);
      m.put("duplicate-id-tx", PolicyFlows::duplicateIdTransacted);
      m.put("login", PolicyFlows::login);
   }

   static void expiry(Flow f) throws Exception {
      Session s = f.auto();
      Queue q = f.queue(s);
      MessageProducer p = s.createProducer(q);
      TextMessage t = s.createTextMessage("short life");
      t.setStringProperty("flow", f.tag);
      p.send(t, DeliveryMode.PERSISTENT, 4, 150);
      p.send(s.createTextMessage("long life"), DeliveryMode.PERSISTENT, 4, 600_000);
      Thread.sleep(300);
      MessageConsumer c = s.createConsumer(q);
      Flow.same("long life", ((TextMessage) Flow.must(c, "message with a long life")).getText(), "text");
      Flow.none(c, "expired message on its queue");
      MessageConsumer e = s.createConsumer(s.createQueue("ExpiryQueue"), "flow = '" + f.tag + "'");
      Message m = Flow.must(e, "expired message on ExpiryQueue");
      Flow.same("short life", ((TextMessage) m).getText(), "text");
      Flow.same(q.getQueueName(), m.getStringProperty("_AMQ_ORIG_ADDRESS"), "_AMQ_ORIG_ADDRESS");
      Flow.same(q.getQueueName(), m.getStringProperty("_AMQ_ORIG_QUEUE"), "_AMQ_ORIG_QUEUE");
      Flow.check(m.propertyExists("_AMQ_ACTUAL_EXPIRY"), "_AMQ_ACTUAL_EXPIRY is missing");
      Flow.same(0L, m.getJMSExpiration(), "expiration of the expired copy");
   }

   static void deadLetter(Flow f) throws Exception {
      Session s = f.auto();
      Queue q = f.queue(s);
      TextMessage t = s.createTextMessage("poison");
      t.setStringProperty("flow", f.tag);
      s.createProducer(q).send(t);
      Session x = f.transacted();
      MessageConsumer c = x.createConsumer(q);
      for (int i = 1; i <= ATTEMPTS; i++) {
         Flow.same(i, Flow.must(c, "attempt " + i).getIntProperty("JMSXDeliveryCount"), "delivery count");
         x.rollback();
      }
      Flow.none(c, "message after " + ATTEMPTS + " attempts");
      MessageConsumer d = s.createConsumer(s.createQueue("DLQ"), "flow = '" + f.tag + "'");
      Message m = Flow.must(d, "message on DLQ");
      Flow.same("poison", ((TextMessage) m).getText(), "text");
      Flow.same(q.getQueueName(), m.getStringProperty("_AMQ_ORIG_ADDRESS"), "_AMQ_ORIG_ADDRESS");
      Flow.same(q.getQueueName(), m.getStringProperty("_AMQ_ORIG_QUEUE"), "_AMQ_ORIG_QUEUE");
      Flow.none(d, "second copy on DLQ");
   }

   private static TextMessage withId(Session s, String id, String text) throws JMSException {
      TextMessage t = s.createTextMessage(text);
      t.setStringProperty("_AMQ_DUPL_ID", id);
      return t;
   }

   static void duplicateId(Flow f) throws Exception {
      Session s = f.auto();
      Queue q = f.queue(s);
      MessageProducer p = s.createProducer(q);
      p.send(withId(s, f.tag + ".1", "first"));
      p.send(withId(s, f.tag + ".1", "again"));
      p.send(withId(s, f.tag + ".2", "other"));
      MessageConsumer c = s.createConsumer(q);
      Flow.same("first", ((TextMessage) Flow.must(c, "first")).getText(), "first");
      Flow.same("other", ((TextMessage) Flow.must(c, "other")).getText(), "second");
      p.send(withId(s, f.tag + ".1", "after it was consumed"));
      Flow.none(c, "message with a used duplicate id");
   }

   static void duplicateIdTransacted(Flow f) throws Exception {
      Session s = f.transacted();
      Queue q = f.queue(s);
      MessageProducer p = s.createProducer(q);
      p.send(withId(s, f.tag + ".1", "rolled back"));
      s.rollback();
      p.send(withId(s, f.tag + ".1", "kept"));
      s.commit();
      p.send(withId(s, f.tag + ".2", "beside a duplicate"));
      p.send(withId(s, f.tag + ".1", "duplicate"));
      String refusal = "none: the commit passed";
      try {
         s.commit();
      } catch (JMSException e) {
         refusal = Load.duplicate(e) ? "duplicate" : Flows.describe(e);
      }
      Flow.same("duplicate", refusal, "refusal of a commit with a duplicate");
      MessageConsumer c = f.auto().createConsumer(q);
      Flow.same("kept", ((TextMessage) Flow.must(c, "kept")).getText(), "kept");
      Flow.none(c, "message of a refused transaction");
   }

   static void login(Flow f) throws Exception {
      try {
         f.factory.createConnection(f.user, f.password + "-wrong").close();
      } catch (JMSSecurityException e) {
         Flow.check(e.getMessage() != null && e.getMessage().contains("AMQ229031"), "refusal without AMQ229031: " + e.getMessage());
         return;
      }
      throw new Flow.Failure("a wrong password was accepted");
   }
}
